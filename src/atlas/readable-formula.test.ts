import { expect, test } from 'vitest';
import { readableFormula } from './readable-formula.ts';

test.each([
  ['\\lambda_{\\max}(H) \\le 2/\\eta', 'λₘₐₓ(H) ≤ 2/η'],
  ['\\frac{a}{b} + \\frac{x + 1}{2}', 'a/b + (x + 1)/2'],
  ['\\mathbb{E}_{x\\sim p}[\\|\\nabla L\\|^2]', '𝔼_(x∼p)[‖∇L‖²]'],
  ['d\\theta = -\\nabla L\\, dt + \\sqrt{2T}\\,dW', 'dθ = −∇L dt + √(2T) dW'],
  ['\\operatorname{tr}(H)', 'tr(H)'],
  ['\\hat\\theta_{t+1}', 'θ̂ₜ₊₁'],
  ['x^{\\text{train set}}', 'x^(train set)'],
  ['10^{-3}', '10⁻³'],
  ['\\sum_{i=1}^{N} x_i', '∑ᵢ₌₁ᴺ xᵢ'],
  ['W_1^\\top W_2', 'W₁ᵀ W₂'],
  ['\\left(\\frac{1}{2}\\right)', '(1/2)'],
  ['a \\cdot b \\times c \\ll d \\approx e', 'a · b × c ≪ d ≈ e'],
  ['n \\log n', 'n log n'],
  ['\\unknowncommand{x', 'unknowncommandx'],
  ['A_i = \\mathrm{diag}(p_i) - p_i p_i^\\top', 'Aᵢ = diag(pᵢ) − pᵢ pᵢᵀ'],
  ['x_{Q}', 'x_Q'],
])('%s is %s', (tex, text) => {
  expect(readableFormula(tex)).toBe(text);
});
