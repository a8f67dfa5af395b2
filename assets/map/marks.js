// Incidents as ◆ ▲ ●, town names, and the callout that names the gravest.
(function () {
  "use strict";
  const part = (window.gridwallMap = window.gridwallMap || {});
  const RANK = { routine: 0, urgent: 1, critical: 2 };
  const SIZE = { routine: 7, urgent: 13, critical: 18 }; // half size at 1920×1080
  const OUTLINE = 3;
  const WIDER = 2; // how much wider than its grid a grid's name may be
  const LABEL = 24;
  const SHIFTS = [[0, 0], [0, -1], [0, 1], [0.6, 0], [-0.6, 0], [0.6, -1], [-0.6, -1], [0.6, 1], [-0.6, 1], [0, -2], [0, 2]];
  // where a name may stand round its town's middle, in its own widths and heights
  const WEIGHT = { routine: 1, urgent: 3, critical: 6 }; // of a mark under a name
  const NAME_HIDDEN = 6; // weight of a name under the callout
  const BETTER = 2; // by how much another place must be better before a name moves
  const FOOT = 120; // the legend's height: no name stands there
  const LONG = 15; // letters of a title the callout says on one large line
  const CLEAR = { top: 136, side: 16, bottom: 136 }; // where no callout goes: the call above, the legend below
  const NEW = 20e6; // µs a mark counts as new
  const PULSES = 6;
  const CROWD = 150; // marks from which all are drawn smaller, and those that can wait are gathered
  const GATHER = 56; // side of the square whose marks are gathered into one with a count

  const plane = document.createElement("canvas").getContext("2d"); // paths as they are, under no view

  class Marks {
    constructor(map, layers, section, say) {
      Object.assign(this, { map, layers, section, say });
      this.rows = new Map();
      this.frame = 0;
      this.canvas = part.canvas(map, "marks");
      this.callout = section.querySelector(".callout");
      this.pulses = document.createElement("div");
      this.pulses.className = "pulses";
      map.getContainer().append(this.pulses);
    }

    update(whole) {
      this.rows = whole;
      this.draw();
    }

    draw() {
      this.frame = this.frame || requestAnimationFrame(() => this.paint());
    }

    point(row) {
      const [x, y] = part.project(row.lon, row.lat);
      const [ox, oy] = this.layers ? this.layers.origin : [0, 0];
      return [(x - ox) * this.view.scale + this.view.x, (y - oy) * this.view.scale + this.view.y];
    }

    holds([x, y]) {
      return x > 0 && y > 0 && x < this.view.width && y < this.view.height;
    }

    paint() {
      this.frame = 0;
      this.view = part.view(this.map, this.layers || { origin: [0, 0] });
      part.fit(this.canvas, this.view);
      const context = this.canvas.getContext("2d");
      context.scale(this.view.ratio, this.view.ratio);
      const factor = part.scale();
      const crowded = this.rows.size > CROWD ? 0.7 : 1;
      const rows = [...this.rows.values()].sort((a, b) => RANK[a.urgency] - RANK[b.urgency] || a.at - b.at);
      const points = rows.map((row) => this.point(row));
      const grave = this.gravest(rows.filter((_, at) => this.holds(points[at])));
      const gathered = crowded < 1 ? gather(rows, points, GATHER * factor) : [];
      [this.painted, this.gathered] = [rows, gathered];
      for (const one of gathered) count(context, one, factor);
      const names = this.names(context, factor);
      const box = this.place(grave, points, rows, factor, names);
      if (box) leader(context, this.point(grave), box, factor);
      const alone = new Set(gathered.flatMap((one) => one.members));
      const draw = (asks) => rows.forEach((row, at) => {
        if (!alone.has(at) && asks === (row.urgency !== "routine" && !row.acknowledged)) {
          mark(context, row, points[at], factor * crowded, this.view.ratio);
        }
      });
      draw(false);
      this.labels(context, factor, names, obstacles(rows, points, alone, gathered, factor * crowded).concat(this.others?.() || []), box);
      draw(true); // nothing hides what asks for an answer
      this.pulse(rows, points, grave);
    }

    // The gravest: the 特急 that waits longest for an answer, as the call to the commander; else an answered 特急; else
    // the newest unanswered 紧急. Nobody while a 特急 that is not in sight waits. Routine is never called out.
    gravest(rows) {
      // What a desk has this wall look at is said by its banner: beside it only a 特急 that waits is called out.
      if (part.focused) rows = rows.filter((row) => row.urgency === "critical" && !row.acknowledged && !chosen(row));
      const elsewhere = [...(this.alarms?.values() || [])].some((one) => one.urgency === "critical");
      const weight = (row) => {
        if (row.urgency === "critical") return row.acknowledged ? (elsewhere ? -1 : 1) : 2;
        return row.urgency === "urgent" && !row.acknowledged && !elsewhere ? 0 : -1;
      };
      const sooner = (one, other) => (weight(one) === 2 ? one.at < other.at : one.at > other.at);
      return rows
        .filter((row) => weight(row) >= 0)
        .reduce((best, row) => (!best || weight(row) > weight(best) || (weight(row) === weight(best) && sooner(row, best)) ? row : best), null);
    }

    // The names of the towns in sight, the largest first: [{code, name, x, y, width, height}].
    names(context, factor) {
      if (!this.layers) return [];
      const height = LABEL * factor * 1.2;
      context.font = `500 ${LABEL * factor}px ${getComputedStyle(this.section).fontFamily}`;
      const named = [...this.layers.levels[this.layers.named]].sort(([, a], [, b]) => b.area - a.area).map(([code, one]) => ({
        code, name: one.name, path: one.path, height, width: context.measureText(one.name).width + 8 * factor,
        x: one.x * this.view.scale + this.view.x, y: one.y * this.view.scale + this.view.y, room: (one.box[2] - one.box[0]) * this.view.scale,
      }));
      const leaves = this.layers.named === this.layers.leaf; // of one level only: a name over its neighbours misleads
      return leaves ? named.filter(({ width, room }) => width <= room * WIDER) : named;
    }

    // Write the names where they and the marks hide each other least, and none under the callout.
    labels(context, factor, names, marks, callout) {
      const { label, halo } = part.colours();
      const view = [this.view.x, this.view.y, this.view.scale].join();
      if (view !== this.namedFor) this.shifts = new Map();
      this.namedFor = view;
      const [head, foot] = [part.covered(), this.view.height - FOOT * factor];
      const taken = callout ? [callout] : [];
      const free = (box) => box[0] > 0 && box[1] > head && box[2] < this.view.width && box[3] < foot && !taken.some((other) => cross(box, other));
      context.font = `500 ${LABEL * factor}px ${getComputedStyle(this.section).fontFamily}`;
      context.textAlign = "center";
      context.textBaseline = "middle";
      context.lineJoin = "round";
      context.lineWidth = 5 * factor;
      this.named = [];
      for (const one of names) {
        const box = this.settle(one, marks, free);
        if (!box) continue;
        taken.push(box);
        this.named.push({ name: one.name, box });
        const [x, y] = [(box[0] + box[2]) / 2, (box[1] + box[3]) / 2];
        context.strokeStyle = halo;
        context.strokeText(one.name, x, y);
        context.fillStyle = label;
        context.fillText(one.name, x, y);
      }
    }

    // The free place in its own town for a name that covers least; it stays where it is unless another is clearly better.
    settle(one, marks, free) {
      const spots = SHIFTS.map((shift, at) => ({ at, box: shifted(one, shift) })).filter(({ at, box }) => free(box) && (!at || this.owns(one, box)));
      const cost = (spot) => (spot.cost ??= covered(spot.box, marks) + spot.at / 100);
      const kept = spots.find(({ at }) => at === this.shifts.get(one.code));
      if (kept && cost(kept) < BETTER) return kept.box;
      const least = spots.reduce((best, spot) => (!best || cost(spot) < cost(best) ? spot : best), null);
      const chosen = kept && cost(kept) < cost(least) + BETTER ? kept : least;
      if (chosen) this.shifts.set(one.code, chosen.at);
      return chosen?.box;
    }

    // Whether the middle of a name's box lies in its town.
    owns({ path }, [x0, y0, x1, y1]) {
      const { scale, x, y } = this.view;
      return plane.isPointInPath(path, ((x0 + x1) / 2 - x) / scale, ((y0 + y1) / 2 - y) / scale, "evenodd");
    }

    // Put the callout where it hides the fewest marks and names; it moves only when the gravest or the view changes.
    place(grave, points, rows, factor, names = []) {
      this.callout.hidden = !grave;
      if (!grave) return null;
      const call = part.covered();
      const key = [grave.lon, grave.lat, grave.title, grave.at, grave.acknowledged, part.names.size, call, this.view.x, this.view.y, this.view.scale].join();
      if (key === this.placedFor) return this.box;
      this.placedFor = key;
      this.write(grave);
      const beside = part.beside || 0; // what the map keeps free at its left for the callout, under a banner
      this.callout.classList.toggle("is-beside", beside > 0);
      this.callout.style.maxWidth = beside ? `${beside - 2 * CLEAR.side * factor}px` : "";
      const [width, height] = [this.callout.offsetWidth, this.callout.offsetHeight];
      const [px, py] = this.point(grave);
      const wanted = beside ? [[0, py - height / 2]] : around(px, py, width, height, 48 * factor);
      const spots = wanted.map(([x, y]) => this.inside(x, y, width, height, factor, call));
      const towns = names.map((one) => shifted(one, SHIFTS[0]));
      const near = [px - 24 * factor, py - 24 * factor, px + 24 * factor, py + 24 * factor];
      const cost = (box) =>
        points.reduce((sum, [x, y], at) => sum + (x > box[0] && x < box[2] && y > box[1] && y < box[3] ? 1 + 4 * RANK[rows[at].urgency] : 0), 0) +
        towns.reduce((sum, town) => sum + (cross(town, box) ? NAME_HIDDEN : 0), 0) +
        (cross(near, box) ? 1000 : 0);
      this.box = spots.reduce((best, spot) => (cost(spot) < cost(best) ? spot : best));
      this.callout.style.transform = `translate(${Math.round(this.box[0])}px, ${Math.round(this.box[1])}px)`;
      return this.box;
    }

    inside(x, y, width, height, factor, call) {
      const above = Math.max(CLEAR.top * factor, call + CLEAR.side * factor);
      const left = Math.min(Math.max(x, CLEAR.side * factor), this.view.width - width - CLEAR.side * factor);
      const top = Math.min(Math.max(y, above), this.view.height - height - CLEAR.bottom * factor);
      return [left, top, left + width, top + height];
    }

    write(row) {
      const place = [...new Set([row.town, row.grid].map((code) => part.names.get(code)).filter(Boolean))];
      const title = document.createElement("p");
      title.className = "callout-title cut";
      const level = document.createElement("b");
      level.className = `word-${row.urgency}`;
      level.textContent = `${{ critical: "◆", urgent: "▲", routine: "●" }[row.urgency]} ${this.say(`urgency.${row.urgency}`)}`;
      const said = row.withheld ? this.say("withheld") : row.title;
      title.append(level, " ", said);
      if (row.acknowledged) title.prepend(this.say("acknowledged"), " ");
      const line = document.createElement("p");
      line.className = "callout-line cut";
      line.textContent = [part.time(row.at / 1000).slice(0, 5), ...(place.length ? place : [this.say("unplaced")])].join(" · ");
      this.callout.replaceChildren(title, line);
      this.callout.classList.toggle("is-long", said.length > LONG);
      this.callout.dataset.urgency = row.acknowledged ? "answered" : row.urgency;
    }

    // Rings round what is new and round the gravest while nobody has answered it; CSS moves them, once a second.
    pulse(rows, points, grave) {
      const now = (window.gridwall?.clock() ?? Date.now()) * 1000;
      const ringed = rows
        .map((row, at) => [row, points[at]])
        .filter(([row]) => chosen(row) || (row === grave && !row.acknowledged) || (row.urgency !== "routine" && now - row.at < NEW))
        .slice(-PULSES);
      while (this.pulses.children.length > ringed.length) this.pulses.lastChild.remove();
      ringed.forEach(([row, [x, y]], at) => {
        const ring = this.pulses.children[at] || this.pulses.appendChild(document.createElement("i"));
        ring.className = `pulse pulse-${row.urgency}`;
        ring.style.transform = `translate(${x}px, ${y}px)`;
      });
      clearTimeout(this.later);
      if (ringed.length) this.later = setTimeout(() => this.draw(), NEW / 1000);
    }
  }

  function chosen(row) {
    return Boolean(part.focused) && row.lon === part.focused.lon && row.lat === part.focused.lat;
  }

  // Where the callout may stand round its incident: corners, above and below, further off.
  function around(x, y, width, height, gap) {
    const [left, right, up, down] = [x - gap - width, x + gap, y - gap - height, y + gap];
    const near = [[right, up], [left, up], [right, down], [left, down]];
    const middle = [[x - width / 2, up - gap], [x - width / 2, down + gap], [right + gap, y - height / 2], [left - gap, y - height / 2]];
    return [...near, ...middle, ...near.map(([a, b]) => [a + 2 * (a - x > 0 ? gap : -gap), b]), ...near.map(([a, b]) => [a, b + 2 * (b - y > 0 ? gap : -gap)])];
  }

  // A name's box, moved by shares of its own width and height.
  function shifted({ x, y, width, height }, [right, down]) {
    const [cx, cy] = [x + right * width, y + down * height];
    return [cx - width / 2, cy - height / 2, cx + width / 2, cy + height / 2];
  }

  // What names should not cover: [x, y, half size, weight] of marks and counts.
  function obstacles(rows, points, gatheredAt, gathered, factor) {
    const alone = rows.flatMap((row, at) => (gatheredAt.has(at) ? [] : [[...points[at], SIZE[row.urgency] * factor, WEIGHT[row.urgency]]]));
    return alone.concat(gathered.map(({ point }) => [...point, LABEL * factor, WEIGHT.routine * 2]));
  }

  function covered(box, marks) {
    let sum = 0;
    for (const [x, y, half, weight] of marks) {
      if (x + half > box[0] && x - half < box[2] && y + half > box[1] && y - half < box[3]) sum += weight;
    }
    return sum;
  }

  // Marks that can wait (routine and acknowledged), gathered by square of the view; one that is alone stays as it is.
  function gather(rows, points, side) {
    const squares = new Map();
    rows.forEach((row, at) => {
      if (row.urgency === "critical" || (row.urgency === "urgent" && !row.acknowledged)) return;
      const key = points[at].map((value) => Math.floor(value / side)).join();
      if (!squares.has(key)) squares.set(key, []);
      squares.get(key).push(at);
    });
    return [...squares.values()]
      .filter((members) => members.length > 1)
      .map((members) => ({ members, point: [0, 1].map((axis) => members.reduce((sum, at) => sum + points[at][axis], 0) / members.length) }));
  }

  // A ring with a number in it: the heat shows through.
  function count(context, { members, point: [x, y] }, factor) {
    const { routine, text, halo } = part.colours();
    const size = LABEL * factor;
    context.font = `700 ${size}px sans-serif`;
    context.textAlign = "center";
    context.textBaseline = "middle";
    context.lineJoin = "round";
    const said = String(members.length);
    context.beginPath();
    context.arc(x, y, Math.max(context.measureText(said).width / 2 + 5 * factor, 16 * factor), 0, 7);
    context.fillStyle = halo;
    context.fill();
    context.lineWidth = 2 * factor;
    context.strokeStyle = routine;
    context.stroke();
    context.fillStyle = text;
    context.fillText(said, x, y);
  }

  // Each urgency's mark is drawn once and stamped from then on: thousands of paths would take longer than a frame.
  const stamps = new Map();
  function stamp(urgency, factor, ratio) {
    const key = `${urgency} ${factor} ${ratio}`;
    if (!stamps.has(key)) {
      const half = Math.ceil((SIZE[urgency] + OUTLINE) * factor * ratio);
      const made = document.createElement("canvas");
      made.width = made.height = 2 * half;
      const context = made.getContext("2d");
      context.translate(half, half);
      context.scale(ratio, ratio);
      shape(context, urgency, factor);
      stamps.set(key, made);
    }
    return stamps.get(key);
  }

  function mark(context, row, [x, y], factor, ratio) {
    const one = stamp(row.urgency, factor, ratio);
    const size = one.width / ratio;
    const whole = (value) => Math.round((value - size / 2) * ratio) / ratio;
    context.drawImage(one, whole(x), whole(y), size, size);
  }

  function shape(context, urgency, factor) {
    const r = SIZE[urgency] * factor;
    context.beginPath();
    if (urgency === "critical") {
      context.moveTo(0, -r);
      context.lineTo(r, 0);
      context.lineTo(0, r);
      context.lineTo(-r, 0);
    } else if (urgency === "urgent") {
      context.moveTo(0, -r);
      context.lineTo(r, r * 0.8);
      context.lineTo(-r, r * 0.8);
    } else {
      context.arc(0, 0, r, 0, 7);
    }
    context.closePath();
    context.lineWidth = OUTLINE * factor;
    context.lineJoin = "round";
    context.strokeStyle = part.colours().ground;
    context.stroke();
    context.fillStyle = part.colours()[urgency];
    context.fill();
  }

  function leader(context, [x, y], [x0, y0, x1, y1], factor) {
    context.beginPath();
    context.moveTo(x, y);
    context.lineTo(Math.min(Math.max(x, x0), x1), Math.min(Math.max(y, y0), y1));
    context.lineWidth = 2 * factor;
    context.strokeStyle = part.colours().text;
    context.stroke();
  }

  function cross(a, b) {
    return a[0] < b[2] && b[0] < a[2] && a[1] < b[3] && b[1] < a[3];
  }

  Object.assign(part, { Marks });
})();
