// Scales: where a value lies on an axis, and where ticks go. Charts draw on plain axes what these have transformed, so that
// a search space's own scales (Log, ReverseLog) and choices can be drawn, brushed and toggled in one way.

const nothing = (value) => value === null || value === undefined;

/** Four significant digits, as the report's words have. */
const short = (value) => {
  if (nothing(value)) return '';
  if (typeof value !== 'number' || Number.isInteger(value)) return String(value);
  const size = Math.abs(value);
  const text = size !== 0 && (size < 1e-4 || size >= 1e6) ? value.toExponential(3) : value.toPrecision(4);
  return text.includes('.') ? text.replace(/\.?0+(?=e|$)/, '') : text;
};

/** 1, 2 and 5 times the powers of ten between two positive numbers, or the powers alone where these are many. */
const decades = (low, high) => {
  const found = [];
  const first = Math.floor(Math.log10(low)), last = Math.ceil(Math.log10(high));
  const factors = last - first <= 2 ? [1, 2, 5] : [1];
  const step = Math.max(1, Math.ceil((last - first) / 7));
  for (let power = first; power <= last; power += step) {
    for (const factor of factors) {
      const value = Number(`${factor}e${power}`);
      if (value >= low * (1 - 1e-9) && value <= high * (1 + 1e-9)) found.push(value);
    }
  }
  return found.length > 1 ? found : evenly(low, high);
};

/** Round numbers between two, about five of them. */
const evenly = (low, high) => {
  if (!(high > low)) return [low];
  const raw = (high - low) / 5, power = 10 ** Math.floor(Math.log10(raw));
  const step = [1, 2, 5, 10].map((factor) => factor * power).find((size) => size >= raw);
  const found = [];
  for (let at = Math.ceil(low / step - 1e-9); at * step <= high + step * 1e-9; at += 1) found.push(Number((at * step).toPrecision(12)));
  return found;
};

const linear = {forward: (value) => value, inverse: (at) => at, ticks: evenly};
const log = {forward: (value) => Math.log10(value), inverse: (at) => 10 ** at, ticks: decades};
const reverseLog = {
  forward: (value) => -Math.log10(1 - value),
  inverse: (at) => 1 - 10 ** -at,
  ticks: (low, high) => decades(1 - high, 1 - low).map((gap) => Number((1 - gap).toPrecision(12))).reverse(),
};

/** An axis from `min` to `max` on one of the scales above; `at` gives null for what has no place on it. */
const numericAxis = (name, scale, min, max) => {
  const low = scale.forward(min), high = scale.forward(max), room = (high - low || Math.abs(high) || 1) * 0.05;
  return {
    name, min: low - room, max: high + room, from: low, to: high, numeric: true,
    at: (value) => (nothing(value) || !Number.isFinite(scale.forward(value)) ? null : scale.forward(value)),
    value: scale.inverse,
    ticks: scale.ticks(min, max).map(scale.forward),
    text: (at) => short(Number(scale.inverse(at).toPrecision(6))),
  };
};

const choiceAxis = (name, choices) => ({
  name, min: -0.5, max: choices.length - 0.5, from: -0.5, to: choices.length - 0.5, numeric: false,
  at: (value) => (nothing(value) ? null : choices.indexOf(value)),
  value: (at) => at,
  ticks: choices.map((_, index) => index),
  text: (at) => choices[Math.round(at)] ?? '',
});

/** The axis of a hyperparameter, on its own scale or plainly linear. */
const hyperparameterAxis = (layout, plain) => {
  if (layout.scale === 'Choice') return choiceAxis(layout.name ?? layout.hyperparameter, layout.choices);
  const scale = plain ? linear : {Log: log, ReverseLog: reverseLog}[layout.scale] ?? linear;
  return numericAxis(layout.name ?? layout.hyperparameter, scale, layout.min, layout.max);
};

/** The axis of some values that were measured. Values that are not positive have no place on a logarithmic one. */
const valueAxis = (name, values, logarithmic) => {
  const known = values.filter((value) => !nothing(value) && Number.isFinite(value) && (!logarithmic || value > 0));
  let low = Math.min(...known), high = Math.max(...known);
  if (!known.length) [low, high] = [logarithmic ? 0.1 : 0, 1];
  if (low === high) [low, high] = logarithmic ? [low / 2, high * 2] : [low - (Math.abs(low) || 1) / 2, high + (Math.abs(high) || 1) / 2];
  return numericAxis(name, logarithmic ? log : linear, low, high);
};

/** A value's place on an axis; what is beyond it, such as zero on a logarithmic one, is at its end. */
const within = (axis, value) => (nothing(value) ? null : Math.min(Math.max(axis.at(value) ?? axis.min, axis.min), axis.max));

/** Whether values have a place on a logarithmic axis, but for some that are zero. */
const positive = (values) => values.every((value) => nothing(value) || value >= 0) && values.some((value) => value > 0);

/** Whether values are seen better on a logarithmic axis: positive, and over more than a decade. */
const spread = (values) => {
  const known = values.filter((value) => !nothing(value) && Number.isFinite(value));
  return known.length > 1 && Math.min(...known) > 0 && Math.max(...known) / Math.min(...known) > 10;
};
