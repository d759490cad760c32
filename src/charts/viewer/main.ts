/** The script of a report page: surfaces that turn, and figures that answer each other. @module */
import type { SurfaceData } from '../surface-data.ts';
import { linkMarks } from './links.ts';
import { linkPlanes } from './planes.ts';
import { mountSurface, type PlanePlace, type SurfaceHandle } from './surface.ts';

linkMarks(document);
for (const host of document.querySelectorAll<HTMLElement>('[data-surface]')) {
  const data = JSON.parse(host.querySelector('script[type="application/json"]')!.textContent ?? '') as SurfaceData;
  const figures = [...document.querySelectorAll<SVGSVGElement>(`[data-plane="${CSS.escape(host.dataset.surface ?? '')}"] svg.thalweg-figure`)];
  const surfaces: SurfaceHandle[] = [];
  let cross: (place: PlanePlace | undefined) => void = () => undefined;
  try {
    surfaces.push(mountSurface(host, data, (place) => { cross(place); }));
    host.dataset.state = 'live';
  } catch (error) {
    // Without WebGL the page keeps its drawn planes, and says why there is nothing to turn.
    host.dataset.state = 'absent';
    host.querySelector('.surface-reading')!.textContent = `The surface needs WebGL, which this browser does not offer here (${(error as Error).message}).`;
  }
  cross = linkPlanes(figures, data, surfaces);
}
