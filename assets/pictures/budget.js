// How many tiles this browser can play: measured while it plays, told before the pictures fall behind. First the tiles take
// the small stream; if that is not enough, the page says how many tiles it can play.
(() => {
  const desk = window.gridwall?.desk;
  if (!desk?.pictures) return;
  const { pictures } = desk;
  const h = desk.h;
  const EACH = 2000; // ms between two samples
  const WINDOW = 5; // samples that are judged together
  const DROPPED = 0.1; // of the frames of a window: more is trouble
  const FRAMES_LEAST = 20; // frames of a window that say something
  const LAG = 0.8; // s between the newest frame and the shown one
  const LATE = 500; // ms a sample may be late before the whole page is behind
  const SHARE = 0.25; // of the tiles in trouble: the browser is at its end
  const WELL = 15; // samples without trouble before the note goes

  let samples = []; // [{late, tiles: Map element → vitals}], the newest last
  let small = false;
  let well = 0;
  let note = null;

  /** How a tile did in a window of its vitals: "good", "strained", or "" where that says nothing. */
  const strained = (window) => {
    const [first, last] = [window[0], window.at(-1)];
    const frames = last.frames - first.frames;
    if (frames < 0 || last.stream !== first.stream) return ""; // it began again meanwhile
    if (last.errors > first.errors + 1) return "strained";
    if (window.filter((one) => one.lag > LAG).length > window.length / 2) return "strained";
    if (frames < FRAMES_LEAST) return "";
    return (last.dropped - first.dropped) / frames > DROPPED ? "strained" : "good";
  };

  /** What windows of vitals of all tiles, and of the page's own lateness (ms), say: {act: ""|"small"|"fewer", most}. */
  pictures.judge = (windows, late) => {
    const states = windows.map(strained);
    const bad = states.filter((one) => one === "strained").length;
    const behind = late.filter((one) => one > LATE).length > late.length / 2;
    if (!windows.length || (!behind && bad < Math.max(1, Math.ceil(windows.length * SHARE)))) return { act: "", most: windows.length };
    if (windows.some((window) => window.at(-1).stream === "main")) return { act: "small", most: windows.length };
    // At most half are given up at a time: when all are in trouble, nobody knows yet how many would not be.
    const most = Math.max(Math.floor(windows.length / 2), windows.length - Math.max(bad, 1));
    return windows.length === 1 ? { act: "", most: 1 } : { act: "fewer", most };
  };

  const playing = () => pictures.slots().map((slot) => slot.picture).filter((picture) => picture.dataset.camera && window.gridwall.tile(picture));
  const tell = (text) => {
    note.textContent = text;
    note.hidden = !text;
  };
  const keepSmall = (on) => {
    small = on;
    for (const picture of playing()) window.gridwall.tile(picture).keepSmall(on);
  };
  const reset = () => { samples = []; };

  const act = ({ act: what, most }) => {
    if (!what) {
      well += 1;
      if (well === WELL) tell("");
      return;
    }
    well = 0;
    if (what === "small") keepSmall(true);
    tell(pictures.text(what === "small" ? "budget_small" : "budget_fewer", { n: most }));
    reset();
  };

  let due = 0;
  const sample = () => {
    const now = performance.now();
    const late = due ? now - due : 0;
    due = now + EACH;
    if (document.hidden) return reset();
    const tiles = new Map(playing().map((picture) => [picture, window.gridwall.tile(picture).vitals()]));
    samples.push({ late, tiles });
    if (samples.length <= WINDOW) return undefined;
    samples.shift();
    const steady = [...tiles.keys()].filter((picture) => samples.every((one) => one.tiles.has(picture)));
    return act(pictures.judge(steady.map((picture) => samples.map((one) => one.tiles.get(picture))), samples.map((one) => one.late)));
  };

  /** The place in the bar where it is said what the browser can play. */
  pictures.budget = () => {
    note = h("span.pictures-budget", { role: "status", hidden: true });
    let arranged = "";
    pictures.onChange(() => {
      const now = `${pictures.count()} ${pictures.large()} ${pictures.cameras().filter(Boolean).length}`;
      if (now === arranged) return;
      arranged = now;
      reset();
      well = 0;
      tell("");
      if (small) keepSmall(false);
    });
    setInterval(sample, EACH);
    return note;
  };
})();
