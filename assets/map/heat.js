// Heat by grid: counts rolled up to a level, cut into steps of one hue that stand still, and the legend for them.
(function () {
  "use strict";
  const part = (window.gridwallMap = window.gridwallMap || {});
  const LADDERS = [
    [1, 2, 3, 4, 5, 6],
    [1, 2, 3, 5, 8, 12],
    [1, 2, 5, 10, 20, 30],
    [1, 5, 10, 20, 50, 100],
    [1, 10, 20, 50, 100, 200],
    [1, 20, 50, 100, 200, 500],
    [1, 100, 200, 500, 1000, 2000],
    [1, 1000, 2000, 5000, 10000, 20000],
  ];
  const NO_POPULATION = 7; // the class after the six steps

  class Heat {
    // minimum: people below which a rate per 10,000 says nothing.
    constructor(layers, minimum) {
      this.layers = layers;
      this.minimum = minimum;
      this.counts = new Map(); // leaf code -> reports
      this.ladder = 0;
      this.show(layers.leaf);
    }

    // Choose the level to show; every class is worked out anew.
    show(at) {
      this.at = at;
      this.rolled = at < this.layers.leaf;
      this.sums = new Map();
      for (const [leaf, count] of this.counts) this.add(leaf, count);
      this.settle();
    }

    add(leaf, count) {
      const code = this.layers.ancestor(leaf, this.at);
      if (code) this.sums.set(code, (this.sums.get(code) || 0) + count);
      return code;
    }

    // Take changed rows; returns the codes whose class may have changed, or null for all.
    update(set, gone) {
      const touched = new Set();
      const put = (leaf, count) => {
        const code = this.add(leaf, count - (this.counts.get(leaf) || 0));
        if (count) this.counts.set(leaf, count);
        else this.counts.delete(leaf);
        if (code) touched.add(code);
      };
      for (const leaf in set) put(leaf, set[leaf]);
      for (const leaf of gone) put(leaf, 0);
      return this.settle() ? null : touched;
    }

    // Reports of grids that are no more and for which none counts.
    earlier() {
      let sum = 0;
      for (const [leaf, count] of this.counts) if (this.layers.earlier(leaf)) sum += count;
      return sum;
    }

    value(code) {
      const count = this.sums.get(code) || 0;
      if (!this.rolled) return count;
      const people = this.layers.levels[this.at].get(code)?.population || 0;
      return people < this.minimum ? null : (count / people) * 10000;
    }

    // 0 = nothing, 1 to 6 = a step of the hue, NO_POPULATION.
    class(code) {
      const value = this.value(code);
      if (value === null) return NO_POPULATION;
      const steps = LADDERS[this.ladder];
      if (!value) return 0;
      let found = 1;
      while (found < steps.length && value >= steps[found]) found += 1;
      return found;
    }

    // The ladder grows when its top no longer fits the highest values and shrinks only when far too long.
    settle() {
      let most = 0;
      const values = [];
      for (const code of this.sums.keys()) {
        const value = this.value(code) || 0;
        if (value > most) most = value;
        values.push(value);
      }
      const high = values.length > 200 ? percentile(values, 0.995) : most;
      const last = (ladder) => LADDERS[ladder][5];
      let wanted = this.ladder;
      while (wanted < LADDERS.length - 1 && high > last(wanted)) wanted += 1;
      while (wanted > 0 && high < last(wanted - 1) * 0.6) wanted -= 1;
      const changed = wanted !== this.ladder;
      this.ladder = wanted;
      return changed;
    }

    // [[class, text]] for the legend.
    steps() {
      const steps = LADDERS[this.ladder];
      return [[0, "0"], ...steps.map((from, at) => [at + 1, at === 5 ? `${from}+` : this.rolled && !at ? "›0" : String(from)])];
    }
  }

  function percentile(values, share) {
    const sorted = Float64Array.from(values).sort();
    return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))];
  }

  Object.assign(part, { Heat, NO_POPULATION });
})();
