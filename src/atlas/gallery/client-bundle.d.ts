/** The script of `client/`, bundled and minified. Made by scripts/viewer.mjs whenever its sources change. */
export const clientScript: string;
/** Its SHA-256 in base64. */
export const clientHash: string;
