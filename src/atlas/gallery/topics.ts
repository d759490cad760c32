/** What the topics of the atlas are about, for the pages. @module */
import type { Topic } from '../entry.ts';

/** A heading and a line for each topic. */
export const topicTexts: Readonly<Record<Topic, { readonly heading: string; readonly about: string }>> = {
  architectures: { heading: 'Architectures', about: 'What a layer or a network is able to represent, and what it keeps unchanged.' },
  curvature: { heading: 'Curvature', about: 'Second derivatives of the loss: spectra, sharpness, and what they say about training.' },
  dynamics: { heading: 'Dynamics', about: 'How parameters move: flows, conserved quantities, phases and transitions.' },
  games: { heading: 'Games', about: 'Several objectives at once: adversaries, bandits, and constraints that push back.' },
  generative: { heading: 'Generative models', about: 'Learning distributions: scores, energies, samplers and transport.' },
  kernels: { heading: 'Kernels', about: 'Networks seen through their tangent kernel, at finite width and without bound.' },
  landscape: { heading: 'Landscape', about: 'The shape of the loss around minima and between them.' },
  losses: { heading: 'Losses', about: 'What is minimised, and what minimising it brings about.' },
  operators: { heading: 'Operators', about: 'Networks that map functions to functions, or solve equations.' },
  optimizers: { heading: 'Optimizers', about: 'Update rules: what they use of the gradient, and what that buys.' },
  representation: { heading: 'Representation', about: 'The geometry of features, and how it comes about.' },
  topology: { heading: 'Topology', about: 'Shapes of data and of sublevel sets: persistence and distances along a surface.' },
};
