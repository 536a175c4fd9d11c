// Parallel coordinates of what varies. What is brushed on its axes is a filter of the trials, and the fields beside the
// table are the same filter for whoever has no pointer: `filters` is the one place where it is kept.

const columns = data.trials;
const rowCount = columns.index.length;

/** Beyond these, dashes take seconds to draw, and colours mix to grey: those of the best tenth stand before the rest. */
const MANY = 400;
const succeeded = columns.rank.filter((rank) => !nothing(rank)).length;

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

const trialTip = (row) => tooltip(trialName(columns.index[row]), [
  [metric, short(columns.objective[row])], ...dimensions.slice(0, -1).map(({layout, values}) => [layout.name, short(values[row])]),
]);

const parallel = (_, view) => {
  const axes = parallelAxes(view);
  /** Whether the axis is the objective's, with the smallest value at the top. */
  const turned = (dim) => dim === axes.length - 1 && data.objective.minimize;
  const place = (axis, position, row) => {
    const value = dimensions[position].values[row];
    return (dimensions[position].layout ? axis.at(value) : within(axis, value)) ?? NaN;
  };
  const rows = columns.index.map((_, row) => row), many = rowCount > MANY;
  const best = (row) => !nothing(columns.rank[row]) && columns.rank[row] <= Math.max(3, succeeded / 10);
  const bold = (arm) => ({lineStyle: {width: 3.5, opacity: 1, type: many || armDash(arm) === 'solid' ? 'solid' : armDash(arm).map((length) => 2 * length)}});
  const lines = (arm, members, style) => ({
    type: 'parallel', inactiveOpacity: 0.04, progressive: view.printing ? 0 : 250, progressiveThreshold: 300,
    tooltip: {formatter: ({data: {row}}) => trialTip(row)},
    data: members.map((row) => ({
      value: axes.map((axis, position) => place(axis, position, row)), row,
      ...(columns.rank[row] && columns.rank[row] <= 3 ? bold(arm) : {}),
    })), ...style,
  });
  const ofArms = (members, activeOpacity, style) => data.arms
    .map((_, arm) => lines(arm, members.filter((row) => columns.arm[row] === arm), {activeOpacity, lineStyle: style(arm)}))
    .filter(({data: items}) => items.length);
  const series = many ? [
    ...ofArms(rows.filter((row) => !best(row)), 0.5, () => ({color: color('quiet'), width: 1, opacity: Math.min(0.25, 5 / Math.sqrt(rowCount) / 2)})),
    ...ofArms(rows.filter(best), 1, (arm) => ({color: armColor(arm), width: 1.4, opacity: Math.min(0.8, 10 / Math.sqrt(succeeded))})),
  ] : ofArms(rows, 1, (arm) => ({color: armColor(arm), type: armDash(arm), width: 1.2, opacity: Math.min(0.55, 3.5 / Math.sqrt(rowCount))}));
  const roomy = Math.max(view.width, 80 * axes.length);
  return {
    option: {
      ...base(),
      parallel: {left: 50, right: 60, top: 50, bottom: 24},
      parallelAxis: axes.map((axis, dim) => ({
        id: `axis-${dim}`, dim, type: 'value', name: axis.name, nameLocation: turned(dim) ? 'start' : 'end', min: axis.min, max: axis.max, nameGap: 18, realtime: true,
        inverse: turned(dim), nameTruncate: {maxWidth: Math.floor((roomy - 110) / axes.length)},
        nameTextStyle: {color: color('ink'), fontWeight: 'bold', fontSize: axes.length > 6 ? 11 : 13}, axisLine: {lineStyle: {color: color('quiet'), width: 1.5}},
        axisTick: {customValues: axis.ticks, lineStyle: {color: color('quiet')}},
        axisLabel: {customValues: axis.ticks, formatter: axis.text, color: color('ink'), fontSize: 12, textBorderColor: color('ground'), textBorderWidth: 4},
        areaSelectStyle: {width: 18, borderWidth: 1, borderColor: color('accent'), color: color('accent'), opacity: 0.25},
      })),
      series,
    },
    summary: `${rowCount} trials; a line is a trial, ${many ? 'those of the best tenth are coloured, ' : ''}the best three are bold, and a line that stops short is of a trial without a result. The best ${metric} is at the top. Drag along an axis to filter the table below, or use the fields under Ranges; a click on an axis clears it.`,
    key: several ? data.arms.map((name, arm) => ({name, arm})).filter(({arm}) => columns.arm.includes(arm)).map(({name, arm}) => ({
      name, color: armColor(arm), path: '', dash: many ? 'solid' : armDash(arm),
    })) : [],
    table: null,
    width: roomy,
    axes,
  };
};
