/** The version of the package, where no file can be read. @module */

/** As in package.json; a test holds the two together. */
export const VERSION = '0.1.0';
