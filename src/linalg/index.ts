/** Small dense host algebra in float64, row-major. @module */
export { symmetricEigen } from './symmetric-eigen.ts';
export { tridiagonalEigen, tridiagonalEigenEnds } from './tridiagonal-eigen.ts';
export type { SymmetricEigen, TridiagonalEigenEnds } from './tridiagonal-eigen.ts';
export { qr } from './qr.ts';
export type { ThinQr } from './qr.ts';
export { svd } from './svd.ts';
export type { ThinSvd } from './svd.ts';
export { cholesky, solve, solveCholesky } from './solve.ts';
export { symmetricEigenvalues, symmetricEigenvaluesPausing, type EigenvaluesOptions } from './symmetric-eigenvalues.ts';
export { gaussianOrthogonal } from './gaussian-orthogonal.ts';
