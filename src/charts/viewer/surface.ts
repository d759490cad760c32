/** A sampled plane as a surface that can be turned: the browser's side of `surfaceView`. @module */
import {
  BufferGeometry, Color, DoubleSide, Float32BufferAttribute, LineBasicMaterial, LineSegments, Mesh, MeshBasicMaterial, MeshLambertMaterial, AmbientLight, DirectionalLight,
  PerspectiveCamera, Raycaster, Scene, SphereGeometry, Vector2, Vector3, WebGLRenderer,
} from 'three';
import { OrbitControls } from 'three/examples/jsm/controls/OrbitControls.js';
import type { SurfaceData } from '../surface-data.ts';

/** A place on the plane, in its own coordinates. */
export interface PlanePlace {
  readonly x: number;
  readonly y: number;
}

/** What a mounted surface lets others do. */
export interface SurfaceHandle {
  /** Marks a place, or nothing. */
  mark(place: PlanePlace | undefined): void;
}

/** Half the width of the surface's base, and its height, in scene units. */
const HALF = 1;
const HEIGHT = 1.1;
/** Frames stop when nothing moves: a page with several surfaces must not heat a phone. */
const DAMPING = 0.12;

/** Builds the view inside `host`; `onHover` hears of the place under the pointer. @throws Error where there is no WebGL. */
export function mountSurface(host: HTMLElement, data: SurfaceData, onHover: (place: PlanePlace | undefined) => void): SurfaceHandle {
  // Asked beforehand: the renderer reports what is missing on the console as well.
  if (document.createElement('canvas').getContext('webgl2') === null) throw new Error('no WebGL 2');
  const renderer = new WebGLRenderer({ antialias: true, alpha: true });
  renderer.setPixelRatio(Math.min(window.devicePixelRatio, 2));
  const stage = host.querySelector<HTMLElement>('.surface-stage')!;
  stage.append(renderer.domElement);
  const scene = new Scene();
  const camera = new PerspectiveCamera(36, 1, 0.1, 50);
  camera.position.set(1.6, 2.25, 2.15);
  const controls = new OrbitControls(camera, renderer.domElement);
  Object.assign(controls, { enableDamping: true, dampingFactor: DAMPING, enablePan: false, minDistance: 1.6, maxDistance: 8, maxPolarAngle: Math.PI * 0.52 });
  controls.target.set(0, 0.42, 0);
  // Scrolling the page past the figure must not zoom it; with a key held, it does.
  controls.enableZoom = false;
  renderer.domElement.addEventListener('wheel', (event) => { controls.enableZoom = event.ctrlKey || event.metaKey; }, { capture: true, passive: true });
  scene.add(new AmbientLight(0xffffff, 1.9));
  const sun = new DirectionalLight(0xffffff, 1.6);
  sun.position.set(1.5, 3, 1);
  scene.add(sun);

  const pin = new Mesh(new SphereGeometry(0.026, 16, 12), new MeshBasicMaterial({ color: 0xd55e00 }));
  pin.visible = false;
  const centre = new Mesh(new SphereGeometry(0.03, 16, 12), new MeshBasicMaterial({ color: new Color(inkOf(host)) }));
  scene.add(pin, centre);
  let shown = built(data, 0, host);
  scene.add(...shown.objects);

  let pending = false;
  const draw = (): void => {
    if (pending) return;
    pending = true;
    requestAnimationFrame(() => {
      pending = false;
      if (controls.update()) draw();
      renderer.render(scene, camera);
      host.dataset.rendered = String(Number(host.dataset.rendered ?? '0') + 1);
    });
  };
  const placeOn = (mesh: Mesh, place: PlanePlace | undefined): void => {
    const at = place && shown.position(place);
    mesh.visible = at !== undefined;
    if (at) mesh.position.set(...at);
  };
  const select = (grid: number): void => {
    scene.remove(...shown.objects);
    shown.objects.forEach((object) => { object.geometry.dispose(); });
    shown = built(data, grid, host);
    scene.add(...shown.objects);
    placeOn(centre, data.center);
    draw();
  };
  const reading = host.querySelector<HTMLElement>('.surface-reading')!;
  const read = (place: PlanePlace | undefined): void => { reading.textContent = place ? shown.text(place) : reading.dataset.rest ?? ''; };
  const mark = (place: PlanePlace | undefined): void => {
    placeOn(pin, place);
    read(place);
    draw();
  };

  const ray = new Raycaster();
  renderer.domElement.addEventListener('pointermove', (event) => {
    const { left, top, width, height } = renderer.domElement.getBoundingClientRect();
    ray.setFromCamera(new Vector2(((event.clientX - left) / width) * 2 - 1, 1 - ((event.clientY - top) / height) * 2), camera);
    const hit = ray.intersectObject(shown.surface)[0];
    const place = hit && shown.nearest(hit.point.x, hit.point.z);
    mark(place);
    onHover(place);
  });
  renderer.domElement.addEventListener('pointerleave', () => { mark(undefined); onHover(undefined); });
  host.querySelectorAll<HTMLInputElement>('input[type=radio]').forEach((input, i) => { input.addEventListener('change', () => { if (input.checked) select(i); }); });
  host.querySelector('.surface-reset')!.addEventListener('click', () => { controls.reset(); draw(); });
  renderer.domElement.tabIndex = 0;
  renderer.domElement.addEventListener('keydown', (event) => { turn(event, camera, controls.target.y); draw(); });
  controls.addEventListener('change', draw);
  let framed = false;
  new ResizeObserver(() => {
    const { clientWidth: width, clientHeight: height } = stage;
    renderer.setSize(width, height, false);
    camera.aspect = width / Math.max(1, height);
    camera.updateProjectionMatrix();
    if (!framed && width > 0 && height > 0) {
      framed = true;
      controls.update();
      frame(camera, controls.target);
      controls.saveState();
    }
    draw();
  }).observe(stage);
  placeOn(centre, data.center);
  read(undefined);
  draw();
  return { mark };
}

/** Moves the camera away until the box that every surface lies in is in view. */
function frame(camera: PerspectiveCamera, target: Vector3): void {
  const corners = [-HALF, HALF].flatMap((x) => [0, HEIGHT].flatMap((y) => [-HALF, HALF].map((z) => new Vector3(x, y, z))));
  for (let i = 0; i < 10; i++) {
    camera.updateMatrixWorld();
    const reach = Math.max(...corners.map((corner) => { const { x, y } = corner.clone().project(camera); return Math.max(Math.abs(x), Math.abs(y)); }));
    if (reach <= 0.98) return;
    camera.position.sub(target).multiplyScalar(Math.max(reach, 1.02)).add(target);
  }
}

const inkOf = (host: HTMLElement): string => getComputedStyle(host).color;

/** Arrow keys turn the surface about its axis. */
function turn(event: KeyboardEvent, camera: PerspectiveCamera, height: number): void {
  const angle = event.key === 'ArrowLeft' ? -0.12 : event.key === 'ArrowRight' ? 0.12 : 0;
  if (angle === 0) return;
  event.preventDefault();
  const { x, z } = camera.position;
  camera.position.set(x * Math.cos(angle) - z * Math.sin(angle), camera.position.y, x * Math.sin(angle) + z * Math.cos(angle));
  camera.lookAt(0, height, 0);
}

interface Built {
  readonly objects: readonly (Mesh | LineSegments)[];
  readonly surface: Mesh;
  position(place: PlanePlace): [number, number, number] | undefined;
  nearest(sceneX: number, sceneZ: number): PlanePlace | undefined;
  text(place: PlanePlace): string;
}

/** The mesh of one grid: a triangle pair for each cell whose corners are all finite, so that masked cells are holes. */
function built({ x, y, grids, colors, logarithmic, digits }: SurfaceData, which: number, host: HTMLElement): Built {
  const { loss, errors } = grids[which];
  const finite = grids.flatMap((grid) => grid.loss.flat()).filter((value): value is number => value !== null && (!logarithmic || value > 0));
  const level = (value: number): number => (logarithmic ? Math.log(value) : value);
  const [low, high] = [level(Math.min(...finite)), level(Math.max(...finite))];
  const share = (value: number): number => (high > low ? (level(value) - low) / (high - low) : 0.5);
  const across = (values: readonly number[], i: number): number => -HALF + (2 * HALF * (values[i] - values[0])) / (values[values.length - 1] - values[0]);
  const points: number[] = [];
  const paints: number[] = [];
  const paint = new Color();
  const known = (row: number, column: number): number | undefined => { const value = loss[row]?.[column]; return value === null || value === undefined || (logarithmic && value <= 0) ? undefined : value; };
  y.forEach((_, row) => { x.forEach((__, column) => {
    const value = known(row, column);
    points.push(across(x, column), value === undefined ? 0 : HEIGHT * share(value), -across(y, row));
    paint.set(colors[Math.round((value === undefined ? 0 : share(value)) * (colors.length - 1))]);
    paints.push(paint.r, paint.g, paint.b);
  }); });
  const at = (row: number, column: number): number => row * x.length + column;
  const faces: number[] = [];
  const edges: number[] = [];
  for (let row = 0; row < y.length; row++) {
    for (let column = 0; column < x.length; column++) {
      if (known(row, column) === undefined) continue;
      if (known(row, column + 1) !== undefined && row % 2 === 0) edges.push(at(row, column), at(row, column + 1));
      if (known(row + 1, column) !== undefined && column % 2 === 0) edges.push(at(row, column), at(row + 1, column));
      const corners = [[row + 1, column], [row, column + 1], [row + 1, column + 1]] as const;
      if (corners.every(([r, c]) => known(r, c) !== undefined)) faces.push(at(row, column), at(row, column + 1), at(row + 1, column + 1), at(row, column), at(row + 1, column + 1), at(row + 1, column));
    }
  }
  const geometry = new BufferGeometry();
  geometry.setAttribute('position', new Float32BufferAttribute(points, 3));
  geometry.setAttribute('color', new Float32BufferAttribute(paints, 3));
  geometry.setIndex(faces);
  geometry.computeVertexNormals();
  const surface = new Mesh(geometry, new MeshLambertMaterial({ vertexColors: true, side: DoubleSide, polygonOffset: true, polygonOffsetFactor: 1, polygonOffsetUnits: 1 }));
  const lines = new BufferGeometry();
  lines.setAttribute('position', new Float32BufferAttribute(points, 3));
  lines.setIndex(edges);
  const mesh = new LineSegments(lines, new LineBasicMaterial({ color: new Color(inkOf(host)), transparent: true, opacity: 0.22 }));
  const closest = (values: readonly number[], value: number): number => values.reduce((best, other, i) => (Math.abs(other - value) < Math.abs(values[best] - value) ? i : best), 0);
  const cellOf = (place: PlanePlace): [number, number] => [closest(y, place.y), closest(x, place.x)];
  return {
    objects: [surface, mesh], surface,
    position(place) {
      const [row, column] = cellOf(place);
      const value = known(row, column);
      return value === undefined ? undefined : [across(x, column), HEIGHT * share(value) + 0.01, -across(y, row)];
    },
    nearest(sceneX, sceneZ) {
      const value = (values: readonly number[], position: number): number => values[0] + ((position + HALF) / (2 * HALF)) * (values[values.length - 1] - values[0]);
      return { x: x[closest(x, value(x, sceneX))], y: y[closest(y, value(y, -sceneZ))] };
    },
    text(place) {
      const [row, column] = cellOf(place);
      const value = known(row, column);
      const error = errors?.[row]?.[column];
      return `(${x[column].toFixed(2)}, ${y[row].toFixed(2)}): ${value === undefined ? 'not finite' : `${value.toPrecision(digits)}${error === null || error === undefined ? '' : ` ± ${error.toPrecision(2)}`}`}`;
    },
  };
}
