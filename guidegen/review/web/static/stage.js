// A lit stage with a parallel projection, so that one scale holds all over the picture. It is drawn only when asked.
import {
  AmbientLight, Color, DirectionalLight, Group, OrbitControls, OrthographicCamera, Plane, Raycaster, Scene, Vector2,
  Vector3, WebGLRenderer,
} from "./three.min.js";

const TURN = 0.12; // radians for one press of an arrow key
const SHIFT = 0.04; // of the view's height
const ZOOM = 1.15;

export class Stage {
  constructor(element, scene) {
    this.element = element;
    this.center = new Vector3(...scene.center);
    this.radius = scene.radius;
    this.renderer = new WebGLRenderer({ antialias: true, preserveDrawingBuffer: true });
    this.renderer.setPixelRatio(Math.min(devicePixelRatio, 2));
    this.renderer.setClearColor(new Color(0x0b0e12));
    this.renderer.localClippingEnabled = true;
    this.camera = new OrthographicCamera(-1, 1, 1, -1, 0.1, 20 * this.radius);
    this.scene = new Scene();
    this.world = new Group();
    this.scene.add(this.world, this.camera, new AmbientLight(0xffffff, 0.9));
    for (const [x, y, strength] of [[-0.6, 0.8, 1.7], [0.9, 0.1, 0.6]]) { // beside the viewer, so that they go along
      const light = new DirectionalLight(0xffffff, strength);
      light.position.set(x, y, 1);
      this.camera.add(light, light.target);
      light.target.position.set(0, 0, -1);
    }
    this.section = new Plane();
    this.watchers = [];
    element.append(this.renderer.domElement);
    this.controls = new OrbitControls(this.camera, this.renderer.domElement);
    this.controls.addEventListener("change", () => this.draw());
    element.addEventListener("keydown", (event) => this.pressed(event));
    new ResizeObserver(() => this.fit()).observe(element);
    this.height = 1.7 * this.radius;
    this.fit();
  }

  lookFrom(toward, up) {
    this.camera.up.set(...up);
    this.controls.target.copy(this.center);
    this.camera.position.copy(this.center).addScaledVector(new Vector3(...toward), 8 * this.radius);
    this.camera.zoom = 1;
    this.camera.updateProjectionMatrix();
    this.controls.update();
    this.draw();
  }

  fit() {
    const { clientWidth: width, clientHeight: height } = this.element;
    if (!width || !height) return;
    const half = Math.max(this.height, this.height * height / width) / 2;
    const tall = width >= height ? this.height / 2 : half;
    Object.assign(this.camera, { left: -tall * width / height, right: tall * width / height, top: tall, bottom: -tall });
    this.camera.updateProjectionMatrix();
    this.renderer.setSize(width, height, false);
    this.draw();
  }

  draw() {
    if (this.isDue) return;
    this.isDue = true;
    requestAnimationFrame(() => {
      this.isDue = false;
      this.renderer.render(this.scene, this.camera);
      for (const watch of this.watchers) watch();
    });
  }

  // Millimetres of one CSS pixel.
  get scale() {
    return (this.camera.top - this.camera.bottom) / this.camera.zoom / this.element.clientHeight;
  }

  // Where a point lies on the element, in CSS pixels.
  pixels(point) {
    const seen = point.clone().project(this.camera);
    return [(seen.x + 1) / 2 * this.element.clientWidth, (1 - seen.y) / 2 * this.element.clientHeight];
  }

  // The first visible point under a pointer, on what the section leaves; undefined where there is none.
  under(event, objects) {
    const box = this.element.getBoundingClientRect();
    const at = new Vector2(2 * (event.clientX - box.left) / box.width - 1, 1 - 2 * (event.clientY - box.top) / box.height);
    const ray = new Raycaster();
    ray.setFromCamera(at, this.camera);
    const isCut = (hit) => hit.object.material.clippingPlanes?.some((plane) => plane.distanceToPoint(hit.point) < 0);
    return ray.intersectObjects(objects.filter((each) => each.visible), false).find((hit) => !isCut(hit));
  }

  pressed(event) {
    const arrow = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, 1], ArrowDown: [0, -1] }[event.key];
    if (arrow && event.shiftKey) this.move(...arrow);
    else if (arrow) this.turn(...arrow);
    else if (event.key === "+" || event.key === "=") this.zoom(ZOOM);
    else if (event.key === "-") this.zoom(1 / ZOOM);
    else return;
    event.preventDefault();
  }

  turn(right, up) {
    const away = this.camera.position.clone().sub(this.controls.target);
    const across = new Vector3().crossVectors(this.camera.up, away).normalize();
    away.applyAxisAngle(this.camera.up, right * TURN).applyAxisAngle(across, -up * TURN);
    this.camera.position.copy(this.controls.target).add(away);
    this.controls.update();
    this.draw();
  }

  move(right, up) {
    const step = SHIFT * (this.camera.top - this.camera.bottom) / this.camera.zoom;
    const way = new Vector3(right * step, up * step, 0).applyQuaternion(this.camera.quaternion);
    this.camera.position.add(way);
    this.controls.target.add(way);
    this.controls.update();
    this.draw();
  }

  zoom(by) {
    this.camera.zoom *= by;
    this.camera.updateProjectionMatrix();
    this.draw();
  }
}
