// Parallel coordinates of what varies. What is brushed on its axes is a filter of the trials, and the fields beside the
// table are the same filter for whoever has no pointer: `filters` is the one place where it is kept.

const columns = data.trials;
const rowCount = columns.index.length;

/** Beyond these, dashes take seconds to draw; the arms are apart on their own axis. */
const MANY = 400;

/** By the position of the axis: [low, high] in the units of the hyperparameter or the objective, choices by number. */
const filters = new Map();

/** What is drawn and filtered: the hyperparameters that vary, then the objective. */
const dimensions = [...data.hyperparameters.map((layout) => ({layout, values: columns.parameters[layout.name]})), {layout: null, values: columns.objective}];

const parallelAxes = (view) => dimensions.map(({layout, values}) => (layout ? hyperparameterAxis(layout, view.plain) : valueAxis(metric, values, view.logarithmic)));

/** Whether a trial is within all that was brushed. */
const passes = (row) => [...filters].every(([position, [low, high]]) => {
  const {layout, values} = dimensions[position], value = values[row];
  if (nothing(value)) return false;
  const number = layout?.scale === 'Choice' ? layout.choices.indexOf(value) : value;
  return number >= low && number <= high;
});

/** A dash pattern for a thick line. */
const bold = (dash) => (Array.isArray(dash) ? dash.map((length) => 2 * length) : dash);

const trialTip = (row) => tooltip(trialName(columns.index[row]), [
  [metric, short(columns.objective[row])], ...dimensions.slice(0, -1).map(({layout, values}) => [layout.name, short(values[row])]),
]);

const parallel = (_, view) => {
  const axes = parallelAxes(view);
  /** Whether the axis is the objective's, with the smallest value at the top. */
  const best = (dim) => dim === axes.length - 1 && data.objective.minimize;
  const rows = columns.index.map((_index, row) => row), many = rowCount > MANY;
  const lines = data.arms.map((label, arm) => ({
    type: 'parallel', name: label, inactiveOpacity: 0.04, activeOpacity: 1, progressive: view.printing ? 0 : 250, progressiveThreshold: 300,
    lineStyle: {color: armColor(arm), type: many ? 'solid' : armDash(arm), width: 1.2, opacity: Math.min(0.55, 3.5 / Math.sqrt(rowCount))},
    tooltip: {formatter: ({data: {row}}) => trialTip(row)},
    data: rows.filter((row) => columns.arm[row] === arm).map((row) => ({
      value: axes.map((axis, position) => axis.at(dimensions[position].values[row]) ?? NaN), row,
      ...(columns.rank[row] && columns.rank[row] <= 3 ? {lineStyle: {width: 3.5, opacity: 1, type: many ? 'solid' : bold(armDash(arm))}} : {}),
    })),
  })).filter(({data: items}) => items.length);
  return {
    option: {
      ...base(),
      parallel: {left: 50, right: 60, top: 50, bottom: 24},
      parallelAxis: axes.map((axis, dim) => ({
        id: `axis-${dim}`, dim, type: 'value', name: axis.name, nameLocation: best(dim) ? 'start' : 'end', min: axis.min, max: axis.max, nameGap: 18, realtime: true,
        inverse: best(dim), nameTruncate: {maxWidth: Math.floor((view.width - 110) / axes.length)},
        nameTextStyle: {color: color('ink'), fontWeight: 'bold', fontSize: axes.length > 6 ? 11 : 13}, axisLine: {lineStyle: {color: color('quiet'), width: 1.5}},
        axisTick: {customValues: axis.ticks, lineStyle: {color: color('quiet')}},
        axisLabel: {customValues: axis.ticks, formatter: axis.text, color: color('ink'), fontSize: 12, textBorderColor: color('ground'), textBorderWidth: 4},
        areaSelectStyle: {width: 18, borderWidth: 1, borderColor: color('accent'), color: color('accent'), opacity: 0.25},
      })),
      series: lines,
    },
    summary: `${rowCount} trials; a line is a trial, and the best three are bold, and a line that stops is of a trial without a result. The best ${metric} is at the top. Drag along an axis to filter the table below, or use the fields under Ranges; a click on an axis clears it.`,
    key: several ? lines.map(({name}) => ({name, arm: data.arms.indexOf(name)})) : [],
    table: null,
    axes,
  };
};
