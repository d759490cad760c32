/** The script of `viewer/`, bundled and minified. Made by scripts/viewer.mjs whenever its sources change. */
export const viewerScript: string;
/** Its SHA-256 in base64, for a content security policy. */
export const viewerHash: string;
