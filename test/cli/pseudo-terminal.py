"""Runs a command in a pseudo terminal and presses keys in it.

Usage: pseudo-terminal.py COLUMNSxROWS KEYS COMMAND...

KEYS is a JSON list of [what to wait for, what to send]; a name of a signal in brackets is sent to the command. Writes
everything that the command wrote to standard output, and ends with its exit code (128 + n for signal n).
"""
import fcntl
import json
import os
import pty
import select
import signal
import struct
import sys
import termios
import time

PATIENCE_S = 60


def main(size, keys, command):
    columns, rows = (int(number) for number in size.split("x"))
    keys = json.loads(keys)
    pid, fd = pty.fork()
    if pid == 0:
        fcntl.ioctl(0, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))
        os.execvp(command[0], command)
    seen, position = b"", 0
    deadline = time.monotonic() + PATIENCE_S
    while True:
        if keys and (found := seen.find(keys[0][0].encode(), position)) >= 0:
            position = found + len(keys[0][0].encode())
            text = keys.pop(0)[1]
            if text.startswith("[SIG"):
                os.kill(pid, getattr(signal, text[1:-1]))
            else:
                os.write(fd, text.encode())
        if time.monotonic() > deadline:
            os.kill(pid, signal.SIGKILL)
            break
        readable, _, _ = select.select([fd], [], [], 0.2)
        if not readable:
            continue
        try:
            piece = os.read(fd, 65536)
        except OSError:
            break
        if piece == b"":
            break
        seen += piece
    _, status = os.waitpid(pid, 0)
    sys.stdout.buffer.write(seen)
    return os.waitstatus_to_exitcode(status) if os.WIFEXITED(status) else 128 + os.WTERMSIG(status)


sys.exit(main(sys.argv[1], sys.argv[2], sys.argv[3:]))
