/** Typed trees: nested plain objects and arrays whose leaf paths are the names users see. @module */
export { flatten, isBranch, leaves, leavesWithPaths, mapTree, requireSameStructure, unflatten, type MapLeaves, type Structure, type Tree } from './tree.ts';
