// Names and distances over the 3-D view: text of the page itself, moved along with the points that it belongs to.
import { BufferGeometry, Line, LineBasicMaterial, Vector3 } from "./three.min.js";

export class Marks {
  constructor(stage) {
    this.stage = stage;
    this.marks = [];
    stage.watchers.push(() => this.place());
  }

  add(text, point, kind = "") {
    const label = document.createElement("span");
    label.className = `mark ${kind}`;
    label.textContent = text;
    this.stage.element.append(label);
    const mark = { label, point, isName: !kind };
    this.marks.push(mark);
    return mark;
  }

  remove(mark) {
    mark.label.remove();
    this.marks = this.marks.filter((each) => each !== mark);
  }

  // Each beside its point; a name as far below it as it takes to lie on no other text, the upper ones first.
  place() {
    const taken = [];
    for (const mark of this.marks) mark.at = this.stage.pixels(mark.point);
    for (const mark of [...this.marks].sort((one, other) => one.isName - other.isName || one.at[1] - other.at[1])) {
      const [x, y] = mark.at;
      const box = { left: x, right: x + mark.label.offsetWidth, top: y, height: mark.label.offsetHeight };
      for (let over; mark.isName && (over = taken.find((other) => meet(box, other)));) box.top = over.top + over.height;
      taken.push(box);
      mark.at = [x, box.top];
      mark.label.style.transform = `translate(${x + 6}px, ${box.top - 20}px)`;
    }
  }

  // Every text with its place on the element, for a saved picture.
  get texts() {
    return this.marks.map(({ label, at }) => ({ text: label.textContent, at }));
  }
}

function meet(one, other) {
  const isBeside = one.left >= other.right || other.left >= one.right;
  return !isBeside && one.top < other.top + other.height && other.top < one.top + one.height;
}

// Distances between points that are picked on what is seen: two picks are one distance.
export class Measure {
  constructor(stage, marks, objects, say) {
    Object.assign(this, { stage, marks, objects, say, first: null, isOn: false, drawn: [] });
    let down = null;
    stage.element.addEventListener("pointerdown", (event) => { down = [event.clientX, event.clientY]; });
    stage.element.addEventListener("pointerup", (event) => {
      const isStill = down && Math.hypot(event.clientX - down[0], event.clientY - down[1]) < 5;
      if (isStill && this.onPick) this.pickOnce(event);
      else if (isStill && this.isOn) this.pick(event);
    });
  }

  // The next point that is picked on one of the objects goes to `then` alone.
  once(objects, then) {
    this.onPick = { objects, then };
  }

  pickOnce(event) {
    const { objects, then } = this.onPick;
    const hit = this.stage.under(event, objects);
    if (!hit) return;
    this.onPick = null;
    then(hit.point);
  }

  pick(event) {
    const hit = this.stage.under(event, this.objects);
    if (!hit) return;
    if (!this.first) {
      this.first = { point: hit.point, mark: this.marks.add("●", hit.point, "distance") };
      this.say("Pick the second point.");
    } else {
      this.marks.remove(this.first.mark);
      this.between(this.first.point, hit.point);
      this.first = null;
    }
    this.stage.draw();
  }

  between(from, to) {
    const words = `${from.distanceTo(to).toFixed(1)} mm`;
    const line = lineOf(from, to, 0xffe08a);
    this.stage.world.add(line);
    this.drawn.push({ line, mark: this.marks.add(words, from.clone().lerp(to, 0.5), "distance") });
    this.say(`Distance: ${words}`);
  }

  clear() {
    if (this.first) this.marks.remove(this.first.mark);
    for (const { line, mark } of this.drawn) {
      this.stage.world.remove(line);
      this.marks.remove(mark);
    }
    this.drawn = [];
    this.first = null;
    this.stage.draw();
  }
}

// A line that is seen through everything.
export function lineOf(from, to, colour) {
  const geometry = new BufferGeometry().setFromPoints([new Vector3().copy(from), new Vector3().copy(to)]);
  const line = new Line(geometry, new LineBasicMaterial({ color: colour, depthTest: false, transparent: true }));
  line.renderOrder = 9;
  return line;
}
