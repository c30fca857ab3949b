/** Makes a large trace of a recorded one: the same again and again, each time as much later as it is long. */
import { closeSync, openSync, readFileSync, writeSync } from 'node:fs';
import { gunzipSync } from 'node:zlib';

const LOST_RECORDS = 0x1f001;
/** Between one time and the next. */
const PAUSE_TICKS = 1_000;

/**
 * @param {string} from A trace, plain or gzip.
 * @param {string} to The large one, which has at least so many bytes.
 * @param {number} bytes
 */
export function repeatTrace(from, to, bytes) {
  let content = readFileSync(from);
  if (content[0] === 0x1f && content[1] === 0x8b) content = gunzipSync(content);
  const words = new Uint32Array(Uint8Array.from(content).buffer, 0, content.length >> 2);
  const places = placesOfTscs(words);
  const tscs = places.map((at) => words[at] + words[at + 1] * 2 ** 32);
  const [first, last] = spanOf(tscs);
  const ticks = last - first + PAUSE_TICKS;
  const fd = openSync(to, 'w');
  for (let time = 0; time * words.byteLength < bytes; time++) {
    for (const [i, at] of places.entries()) {
      const tsc = tscs[i] + time * ticks;
      words[at] = tsc >>> 0;
      words[at + 1] = Math.floor(tsc / 2 ** 32);
    }
    writeSync(fd, words);
  }
  closeSync(fd);
}

/** Where there are TSCs: of records, and of the first one that was lost. */
function placesOfTscs(words) {
  const places = [];
  for (let at = 0; at < words.length; ) {
    const header = words[at];
    const isTimed = header >>> 31 === 1;
    if (isTimed) {
      places.push(at + 1);
      if ((header & 0x0fffffff) === LOST_RECORDS) places.push(at + 5);
    }
    at += 1 + ((header >>> 28) & 7) + (isTimed ? 2 : 0);
  }
  return places.filter((at) => at + 1 < words.length);
}

function spanOf(numbers) {
  let [least, most] = [Infinity, -Infinity];
  for (const number of numbers) {
    least = Math.min(least, number);
    most = Math.max(most, number);
  }
  return [least, most];
}
