// Steps of one hue for values of any size: six round steps that the highest values just fill, and what a value is called.
(() => {
  const part = (window.gridwallHeat = window.gridwallHeat || {});
  const ROUND = [1, 2, 3, 5, 8, 12, 20, 30, 50, 80];
  const SHARES = [0.02, 0.1, 0.2, 0.4, 0.7, 1]; // of the top step
  const UNSAID = 7; // the class of an area whose value would say nothing

  /** The six lower ends of the steps for these values, rising; counts get whole ones. */
  part.steps = (values, whole) => {
    const sorted = Float64Array.from(values.filter((one) => one > 0)).sort();
    const high = sorted.length ? sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * 0.99))] : 1;
    if (whole && high <= 6) return [1, 2, 3, 4, 5, 6];
    const round = (value) => {
      const size = 10 ** Math.floor(Math.log10(value));
      const found = ROUND.filter((one) => one <= 10).reduce((a, b) => (Math.abs(b * size - value) < Math.abs(a * size - value) ? b : a));
      return Number((found * size).toPrecision(2));
    };
    const raw = SHARES.map((share) => round(high * share * 0.9));
    const found = [];
    for (const one of raw) {
      const least = found.length ? found.at(-1) * 1.01 : 0;
      const next = whole ? Math.max(1, Math.round(one), Math.floor(least) + (found.length ? 1 : 0)) : Math.max(one, least);
      found.push(Number(next.toPrecision(3)));
    }
    return found;
  };

  /** 0 nothing, 1 to 6 a step, 7 no value. */
  part.step = (value, steps) => {
    if (value === null || value === undefined) return UNSAID;
    if (value <= 0) return 0;
    let found = 1;
    while (found < steps.length && value >= steps[found]) found += 1;
    return found;
  };

  /** A value as people read it: whole counts, else three figures. */
  part.told = (value) => {
    if (value === null || value === undefined) return "—";
    if (Number.isInteger(value)) return value.toLocaleString("en");
    const digits = Math.abs(value) >= 100 ? 0 : Math.abs(value) >= 10 ? 1 : 2;
    return value.toLocaleString("en", { minimumFractionDigits: digits, maximumFractionDigits: digits });
  };
  part.UNSAID = UNSAID;
})();
