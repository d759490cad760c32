/** The package's version, read from its own package.json. @module */
import { readFileSync } from 'node:fs';

/** Version of the installed package. */
export const VERSION: string = (JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8')) as { version: string }).version;
