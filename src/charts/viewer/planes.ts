/** A cross on drawn planes that follows the surface, and the other way round. @module */
import type { PlanePlace, SurfaceHandle } from './surface.ts';

const SVG = 'http://www.w3.org/2000/svg';

/** Connects figures of a plane (frames found by their label) with surfaces of the same plane. */
export function linkPlanes(figures: readonly SVGSVGElement[], range: { readonly x: readonly number[]; readonly y: readonly number[] }, surfaces: readonly SurfaceHandle[]): (place: PlanePlace | undefined) => void {
  const [left, right] = [range.x[0], range.x[range.x.length - 1]];
  const [bottom, top] = [range.y[0], range.y[range.y.length - 1]];
  const crosses = figures.flatMap((figure) => {
    const frame = figure.querySelector<SVGGraphicsElement>('[aria-label="frame"]');
    if (!frame) return [];
    const owner = frame.parentElement as unknown as SVGElement;
    const cross = document.createElementNS(SVG, 'path');
    cross.setAttribute('class', 'crosshair');
    owner.append(cross);
    const draw = (place: PlanePlace | undefined): void => {
      if (!place) { cross.removeAttribute('d'); return; }
      const box = frame.getBBox();
      const x = box.x + ((place.x - left) / (right - left)) * box.width;
      const y = box.y + box.height - ((place.y - bottom) / (top - bottom)) * box.height;
      cross.setAttribute('d', `M${box.x},${y}H${box.x + box.width}M${x},${box.y}V${box.y + box.height}`);
    };
    figure.addEventListener('pointermove', (event) => {
      const area = frame.getBoundingClientRect();
      const [u, v] = [(event.clientX - area.left) / area.width, (area.bottom - event.clientY) / area.height];
      const place = u >= 0 && u <= 1 && v >= 0 && v <= 1 ? { x: left + u * (right - left), y: bottom + v * (top - bottom) } : undefined;
      surfaces.forEach((surface) => { surface.mark(place); });
      crosses.forEach((other) => { other(place); });
    });
    figure.addEventListener('pointerleave', () => {
      surfaces.forEach((surface) => { surface.mark(undefined); });
      crosses.forEach((other) => { other(undefined); });
    });
    return [draw];
  });
  return (place) => { crosses.forEach((draw) => { draw(place); }); };
}
