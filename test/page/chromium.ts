/**
 * Drives a headless Chromium through a pipe: no package, no port, no network.
 * @module
 */
import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Readable, Writable } from 'node:stream';

const NAMES = ['chromium', 'chromium-browser', 'google-chrome'];
const ANSWER_MS = 60_000;

/** The browser that is installed; undefined: none. */
export function findChromium(): string | undefined {
  for (const name of [process.env.CHROMIUM, ...NAMES]) {
    if (name === undefined) continue;
    try {
      execFileSync(name, ['--version'], { stdio: 'ignore' });
      return name;
    } catch {
      // The next one.
    }
  }
  return undefined;
}

type Params = Record<string, unknown>;

interface Message {
  readonly id?: number;
  readonly method?: string;
  readonly params?: Params;
  readonly result?: Params;
  readonly error?: { readonly message: string };
}

/** A browser with one page. */
export class Chromium {
  /** Errors and warnings that the page wrote to its console, or threw. */
  readonly complaints: string[] = [];
  /** Whatever the page asked the network for. */
  readonly requests: string[] = [];
  readonly #process: ChildProcess;
  readonly #profile: string;
  readonly #waiting = new Map<
    number,
    { resolve: (result: Params) => void; reject: (error: Error) => void }
  >();
  #session: string | undefined;
  #ids = 0;

  private constructor(path: string) {
    this.#profile = mkdtempSync(join(tmpdir(), 'xenscope-chromium-'));
    this.#process = spawn(
      path,
      [
        '--headless=new',
        '--no-sandbox',
        '--disable-gpu',
        '--disable-dev-shm-usage',
        '--no-first-run',
        '--hide-scrollbars',
        '--remote-debugging-pipe',
        `--user-data-dir=${this.#profile}`,
        'about:blank',
      ],
      { stdio: ['ignore', 'ignore', 'ignore', 'pipe', 'pipe'] },
    );
    let text = '';
    const output = this.#process.stdio[4] as Readable;
    output.setEncoding('utf8').on('data', (chunk: string) => {
      const messages = (text + chunk).split('\0');
      text = messages.pop() ?? '';
      for (const message of messages) this.#onMessage(JSON.parse(message));
    });
  }

  static async launch(path: string, { width = 1280, height = 900 } = {}): Promise<Chromium> {
    const browser = new Chromium(path);
    const { targetInfos } = await browser.send('Target.getTargets');
    const page = (targetInfos as { type: string; targetId: string }[]).find(({ type }) => type === 'page');
    const { sessionId } = await browser.send('Target.attachToTarget', {
      targetId: page?.targetId,
      flatten: true,
    });
    browser.#session = sessionId as string;
    for (const domain of ['Page', 'Runtime', 'Log', 'Network']) await browser.send(`${domain}.enable`);
    await browser.send('Emulation.setDeviceMetricsOverride', {
      width,
      height,
      deviceScaleFactor: 1,
      mobile: false,
    });
    return browser;
  }

  send(method: string, params: Params = {}): Promise<Params> {
    const id = ++this.#ids;
    const { promise, done } = this.#answer(id, method);
    const message = {
      id,
      method,
      params,
      ...(this.#session === undefined ? {} : { sessionId: this.#session }),
    };
    (this.#process.stdio[3] as Writable).write(`${JSON.stringify(message)}\0`);
    return promise.finally(done);
  }

  /** Opens a file with the network off, and waits until `ready` is true in it. */
  async open(path: string, ready: string): Promise<void> {
    await this.send('Network.emulateNetworkConditions', {
      offline: true,
      latency: 0,
      downloadThroughput: 0,
      uploadThroughput: 0,
    });
    await this.send('Page.navigate', { url: `file://${path}` });
    await this.until(ready);
  }

  /** The value of an expression in the page. */
  async evaluate<T>(expression: string): Promise<T> {
    const answer = await this.send('Runtime.evaluate', {
      expression,
      awaitPromise: true,
      returnByValue: true,
    });
    const { result, exceptionDetails } = answer as {
      result: { value: T };
      exceptionDetails?: { text: string; exception?: { description?: string } };
    };
    if (exceptionDetails) throw new Error(exceptionDetails.exception?.description ?? exceptionDetails.text);
    return result.value;
  }

  async until(expression: string): Promise<void> {
    for (let tries = 0; tries < 600; tries++) {
      if (await this.evaluate<boolean>(`Boolean(${expression})`)) return;
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
    throw new Error(`never true in the page: ${expression}`);
  }

  /** A real key, as a keyboard sends it. */
  async press(key: string): Promise<void> {
    const text = key.length === 1 ? { text: key } : {};
    await this.send('Input.dispatchKeyEvent', { type: 'keyDown', key, ...text });
    await this.send('Input.dispatchKeyEvent', { type: 'keyUp', key });
  }

  async click(x: number, y: number): Promise<void> {
    const at = { x, y, button: 'left', clickCount: 1 };
    await this.send('Input.dispatchMouseEvent', { ...at, type: 'mouseMoved', button: 'none' });
    await this.send('Input.dispatchMouseEvent', { ...at, type: 'mousePressed' });
    await this.send('Input.dispatchMouseEvent', { ...at, type: 'mouseReleased' });
  }

  async drag(fromX: number, toX: number, y: number): Promise<void> {
    const left = { y, button: 'left', buttons: 1, clickCount: 1 };
    await this.send('Input.dispatchMouseEvent', { ...left, x: fromX, type: 'mousePressed' });
    await this.send('Input.dispatchMouseEvent', { ...left, x: (fromX + toX) / 2, type: 'mouseMoved' });
    await this.send('Input.dispatchMouseEvent', { ...left, x: toX, type: 'mouseMoved' });
    await this.send('Input.dispatchMouseEvent', { ...left, x: toX, type: 'mouseReleased' });
  }

  async wheel(x: number, y: number, deltaY: number): Promise<void> {
    await this.send('Input.dispatchMouseEvent', { type: 'mouseWheel', x, y, deltaX: 0, deltaY });
  }

  /** A PNG of what is in view, or of the whole page. */
  async screenshot({ whole = false } = {}): Promise<Buffer> {
    const { data } = await this.send('Page.captureScreenshot', {
      format: 'png',
      captureBeyondViewport: whole,
    });
    return Buffer.from(data as string, 'base64');
  }

  async close(): Promise<void> {
    const ended = new Promise((resolve) => this.#process.once('exit', resolve));
    // When it is killed, its helpers go on writing into the folder that is to be removed.
    this.#session = undefined;
    this.send('Browser.close').catch(() => this.#process.kill('SIGKILL'));
    await ended;
    rmSync(this.#profile, { recursive: true, force: true, maxRetries: 5 });
  }

  #answer(id: number, method: string): { promise: Promise<Params>; done: () => void } {
    let timer: NodeJS.Timeout | undefined;
    const promise = new Promise<Params>((resolve, reject) => {
      timer = setTimeout(() => reject(new Error(`no answer to ${method}`)), ANSWER_MS);
      this.#waiting.set(id, { resolve, reject });
    });
    return { promise, done: () => clearTimeout(timer) };
  }

  #onMessage({ id, method, params = {}, result, error }: Message): void {
    if (id !== undefined) {
      const waiting = this.#waiting.get(id);
      this.#waiting.delete(id);
      if (error !== undefined) waiting?.reject(new Error(error.message));
      else waiting?.resolve(result ?? {});
      return;
    }
    if (method === 'Runtime.consoleAPICalled' && params.type !== 'log') {
      this.complaints.push(JSON.stringify(params.args));
    } else if (method === 'Runtime.exceptionThrown') {
      this.complaints.push(JSON.stringify(params.exceptionDetails));
    } else if (method === 'Log.entryAdded') {
      this.complaints.push(JSON.stringify(params.entry));
    } else if (method === 'Network.requestWillBeSent') {
      this.requests.push((params.request as { url: string }).url);
    }
  }
}
