/** Files of other formats under the name of a model, told by their first bytes. @module */

/** What a file is instead of a model, and what to do about it. */
export interface ForeignFile {
  readonly what: string;
  readonly remedy: string;
}

const begins = (...numbers: readonly number[]) => (bytes: Uint8Array): boolean => numbers.every((byte, i) => bytes[i] === byte);
const holds = (text: string, at = 0) => (bytes: Uint8Array): boolean => [...text].every((letter, i) => bytes[at + i] === letter.charCodeAt(0));
/** The beginning as text, without leading white space and byte order mark. */
const textOf = (bytes: Uint8Array): string => new TextDecoder().decode(bytes.subarray(0, 512)).trimStart();

const EXPORT = 'export the model to ONNX with torch.onnx.export; its arrays alone are no model';

/** No model of ONNX begins like one of these: its first field is the format's version. */
const formats: readonly (ForeignFile & { readonly isOne: (bytes: Uint8Array) => boolean })[] = [
  { isOne: holds('version https://git-lfs'), what: 'a pointer of Git LFS, which stands for a file that was not fetched', remedy: "run 'git lfs pull' in that repository, or download the file itself" },
  { isOne: (bytes) => /^<(!doctype html|html|head|body)/i.test(textOf(bytes)), what: 'a page of HTML', remedy: 'download the file itself: this is the page of a web site, perhaps of an error or a login' },
  { isOne: (bytes) => textOf(bytes).startsWith('<'), what: 'an XML file', remedy: 'download the file itself: storage services answer in XML when they refuse a file' },
  { isOne: begins(0x1f, 0x8b), what: 'a file compressed by gzip', remedy: 'decompress it: gunzip' },
  { isOne: begins(0x28, 0xb5, 0x2f, 0xfd), what: 'a file compressed by Zstandard', remedy: 'decompress it: unzstd' },
  { isOne: begins(0x50, 0x4b, 3, 4), what: 'a zip archive, as a checkpoint of PyTorch is', remedy: `unpack it if the model is inside; of a checkpoint, ${EXPORT}` },
  { isOne: (bytes) => bytes[0] === 0x80 && bytes[1] >= 2 && bytes[1] <= 5 && (bytes[2] === 0x8a || bytes[2] === 0x7d || bytes[2] === 0x63 || bytes[2] === 0x95), what: 'a pickle of Python', remedy: EXPORT },
  { isOne: holds('\u0089HDF\r\n'), what: 'an HDF5 file, as Keras writes', remedy: 'convert the model with tf2onnx' },
  { isOne: holds('TFL3', 4), what: 'a model of TensorFlow Lite', remedy: 'convert it with tf2onnx' },
  { isOne: holds('ORTM', 4), what: "a model in ONNX Runtime's own format", remedy: 'take the .onnx file that it was made of' },
  { isOne: (bytes) => bytes[8] === 0x7b && bytes.subarray(4, 8).every((byte) => byte === 0), what: 'a safetensors file', remedy: `${EXPORT}; the option weights takes it beside a model` },
  { isOne: (bytes) => /^[{[]/.test(textOf(bytes)), what: 'a JSON file', remedy: 'download the file itself: services answer in JSON when they refuse a file' },
];

/** The format of a file that is no protobuf message, where its first bytes tell; undefined otherwise. */
export const foreignFile = (bytes: Uint8Array): ForeignFile | undefined => formats.find(({ isOne }) => isOne(bytes));
