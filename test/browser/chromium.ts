/** The Chromium that tests run pages in, where there is one. */
import { existsSync } from 'node:fs';

const candidates = [process.env['CHROMIUM_PATH'], '/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome', '/usr/bin/google-chrome-stable'];

/** Undefined where none is installed. */
export const executablePath = candidates.find((file) => file !== undefined && existsSync(file));

export const flags = [
  // Containers have no sandbox; nothing here reaches for the network.
  '--no-sandbox', '--disable-quic', '--no-first-run', '--disable-background-networking', '--disable-component-update', '--disable-sync',
  // WebGPU on the processor, where there is no GPU.
  '--disable-gpu', '--enable-unsafe-webgpu', '--use-webgpu-adapter=swiftshader',
];

/** Says on the terminal what is not being tested. */
export const notice = (text: string): void => void process.stderr.write(`\n${'!'.repeat(100)}\n${text}\n${'!'.repeat(100)}\n\n`);

/** The same, of tests that need Chromium, where there is none. */
export function noticeWithoutChromium(tests: string): void {
  if (executablePath === undefined) notice(`${tests} are SKIPPED: no Chromium in ${candidates.slice(1).join(', ')}.\nInstall it (apt-get install chromium), or name one in CHROMIUM_PATH.`);
}
