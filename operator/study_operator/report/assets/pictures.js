// The pictures but for curves and parallel coordinates. Each is made of the report's data and of how its section is to be
// seen (`view.logarithmic` for what was measured, `view.plain` for hyperparameters), and gives the chart's option, a
// sentence that says what it shows, and its numbers as a table.

const data = JSON.parse(document.getElementById('data').textContent);
const metric = data.objective.metric;
const trialName = (index) => `${data.study}-${index}`;
const several = data.arms.length > 1;

const base = () => ({animation: false, textStyle: {fontFamily: letters, fontSize: 13, color: color('ink')}, tooltip: {
  trigger: 'item', confine: true, backgroundColor: color('ground'), borderColor: color('line'), padding: [6, 10],
  textStyle: {color: color('ink'), fontSize: 13}, extraCssText: 'box-shadow: 0 2px 8px rgb(0 0 0 / .25)',
}});

/** A scale's axis as an axis of the chart, which is plain. */
const drawnAxis = (axis, side) => ({
  type: 'value', name: axis.name, nameLocation: 'middle', nameGap: side === 'x' ? 28 : 52, min: axis.min, max: axis.max,
  nameTextStyle: {color: color('quiet'), fontSize: 13}, axisLine: {show: true, onZero: false, lineStyle: {color: color('quiet')}},
  axisTick: {show: true, customValues: axis.ticks, lineStyle: {color: color('quiet')}},
  axisLabel: {customValues: axis.ticks, formatter: axis.text, color: color('quiet'), fontSize: 12, hideOverlap: true},
  splitLine: {show: false},
});

const grid = (extra = {}) => ({left: 68, right: 20, top: 16, bottom: 46, ...extra});

/** Points with a shape of their arm. */
const points = (arm, items, extra = {}) => ({
  type: 'scatter', data: items, symbol: armShape(arm), symbolSize: 9,
  itemStyle: {color: armColor(arm), opacity: items.length > 300 ? 0.55 : 0.85}, ...extra,
});

/** A whisker from `low` to `high` at the height `row`. */
const whiskers = (items) => ({
  type: 'custom', data: items.map(({row, low, high, arm}) => [row, low, high, arm]), encode: {x: [1, 2], y: 0}, z: 1,
  silent: true,
  renderItem: (_, api) => {
    const [row, low, high, arm] = [0, 1, 2, 3].map((dimension) => api.value(dimension));
    const [left, y] = api.coord([low, row]), [right] = api.coord([high, row]);
    const style = {stroke: armColor(arm), lineWidth: 2, fill: 'none'};
    const bar = (x1, y1, x2, y2) => ({type: 'line', shape: {x1, y1, x2, y2}, style});
    return {type: 'group', children: [bar(left, y, right, y), bar(left, y - 6, left, y + 6), bar(right, y - 6, right, y + 6)]};
  },
});

const rowsAxis = (labels) => ({
  type: 'category', data: labels, inverse: true, axisLine: {show: false}, axisTick: {show: false},
  axisLabel: {color: color('ink'), fontSize: 13, width: 190, overflow: 'truncate'}, splitLine: {show: true, lineStyle: {color: color('line')}},
});

const within = (axis, value) => (nothing(value) ? null : Math.min(Math.max(axis.at(value) ?? axis.min, axis.min), axis.max));

const isolation = (plot, view) => {
  const groups = plot.groups;
  const axis = valueAxis(metric, groups.flatMap(({best, expected, low, high}) => [best, expected, low, high]), view.logarithmic);
  const rows = groups.map((group, row) => ({...group, row}));
  const tip = (group, what, value) => tooltip(group.label, [
    [what, short(value)], ['95% interval', nothing(group.low) ? '' : `${short(group.low)} to ${short(group.high)}`],
    ['trials', short(group.trials)], ['infeasible', short(group.infeasible)],
  ]);
  const series = (what, pick, extra) => rows.map((group) => ({
    ...points(group.color, [[axis.at(pick(group)), group.row]], extra(group)), tooltip: {formatter: () => tip(group, what, pick(group))},
  }));
  const [first] = groups;
  return {
    option: {
      ...base(), grid: grid({left: 210, top: 10}), xAxis: drawnAxis(axis, 'x'), yAxis: rowsAxis(groups.map(({label}) => label)),
      series: [
        whiskers(rows.filter(({low}) => !nothing(low)).map(({row, low, high, color: arm}) => ({row, arm, low: within(axis, low), high: within(axis, high)}))),
        ...series(`expected best of ${plot.m}`, ({expected}) => expected, (group) => ({symbol: 'circle', symbolSize: 11, itemStyle: {color: color('ground'), borderColor: armColor(group.color), borderWidth: 2.5}})),
        ...series('best', ({best}) => best, () => ({symbolSize: 14})),
      ],
    },
    summary: first ? `Filled: the best trial of each. Hollow, with its 95% interval: the expected best of ${plot.m} trials. ${first.label} is ahead, with ${short(first.expected)} expected and ${short(first.best)} reached.` : 'No trial has a result.',
    height: 96 + 56 * groups.length,
    table: {
      headings: ['', `Best ${metric}`, `Expected best of ${plot.m}`, '95% interval', 'Trials', 'Infeasible'],
      rows: groups.map((group) => [group.label, group.best, group.expected, nothing(group.low) ? '' : `${short(group.low)} to ${short(group.high)}`, group.trials, group.infeasible]),
    },
  };
};

const range = (plot, view) => {
  const x = hyperparameterAxis(plot, view.plain), y = valueAxis(metric, plot.objective, view.logarithmic);
  const items = plot.value.map((value, row) => ({value: [x.at(value), y.at(plot.objective[row])], row})).filter(({value}) => !value.includes(null));
  return {
    option: {
      ...base(), grid: grid(), xAxis: drawnAxis(x, 'x'), yAxis: drawnAxis(y, 'y'),
      series: [{...points(plot.arm, items), tooltip: {formatter: ({data: {row}}) => tooltip(plot.trial[row], [[plot.hyperparameter, short(plot.value[row])], [metric, short(plot.objective[row])]])}}],
    },
    summary: `The best trial in each tenth of the range of ${plot.hyperparameter}.`,
    table: {headings: ['Trial', plot.hyperparameter, metric], rows: plot.value.map((value, row) => [plot.trial[row], value, plot.objective[row]])},
  };
};

const confirmation = (configurations, view) => {
  const axis = valueAxis(metric, configurations.flatMap(({values, searched}) => [...values, searched]), view.logarithmic);
  const labels = configurations.map(({label}) => label);
  const tip = (title, what, value) => tooltip(title, [[what, short(value)]]);
  const rows = configurations.map((configuration, row) => ({...configuration, row}));
  return {
    option: {
      ...base(), grid: grid({left: 210, top: 10}), xAxis: drawnAxis(axis, 'x'), yAxis: rowsAxis(labels),
      series: rows.flatMap(({label, arm, values, mean, searched, row}) => [
        {...points(arm, values.map((value) => [axis.at(value), row])), tooltip: {formatter: ({dataIndex}) => tip(label, `rerun ${dataIndex + 1}`, values[dataIndex])}},
        {...points(arm, [[axis.at(mean), row]], {symbol: 'rect', symbolSize: [3, 26]}), tooltip: {formatter: () => tip(label, 'mean', mean)}},
        {...points(arm, [[axis.at(searched), row]], {symbol: 'circle', symbolSize: 12, itemStyle: {color: 'transparent', borderColor: color('quiet'), borderType: 'dashed', borderWidth: 1.5}}), tooltip: {formatter: () => tip(label, 'in the search', searched)}},
      ]),
    },
    summary: `${configurations.map(({label, mean, values}) => `${label}: ${nothing(mean) ? 'no result' : `${short(mean)} on average over ${values.length}`}`).join('; ')}. Bars are means; a dashed ring is the score in the search, which has no part in the decision.`,
    height: 96 + 56 * configurations.length,
    table: {headings: ['Configuration', 'In the search', 'Mean', 'Reruns'], rows: configurations.map(({label, searched, mean, values}) => [label, searched, mean, values.map(short).join(', ')])},
  };
};

/** The part of the axis that a finding speaks of: beyond a bound, or the outer tenth at an end of the range. */
const marked = (plot, axis) => plot.marks.map(({finding, at, side}) => {
  const tenth = (axis.to - axis.from) / 10, bound = axis.at(at);
  const atEnd = Math.abs(bound - (side === 'max' ? axis.to : axis.from)) < tenth / 100;
  const inner = atEnd ? bound + (side === 'max' ? -tenth : tenth) : bound;
  return [{name: `F${finding}`, xAxis: inner}, {xAxis: side === 'max' ? axis.max : axis.min}];
});

/** Integers that are apart from each other: their trials, and those of a choice, are strewn so that all can be seen. */
const FEW_INTEGERS = 20;
/** From -1/2 to 1/2, the same for the same trial. */
const scatter = (index) => ((index * 0.6180339887) % 1) - 0.5;

const axis = (plot, view) => {
  const x = hyperparameterAxis(plot, view.plain), y = valueAxis(metric, plot.objective, view.logarithmic);
  const loose = x.numeric && !(plot.integer && plot.max - plot.min <= FEW_INTEGERS) ? 0 : 0.4 * (plot.integer && x.numeric ? (x.to - x.from) / (plot.max - plot.min) : 1);
  const rows = plot.value.map((value, row) => ({row, at: x.at(value) + loose * scatter(plot.index[row]), objective: plot.objective[row], rank: plot.rank[row]}));
  const room = (y.max - y.min) * 0.08, worst = data.objective.minimize ? y.max + room / 2 : y.min - room / 2;
  const feasible = rows.filter(({objective}) => !nothing(objective)), infeasible = rows.filter(({objective}) => nothing(objective));
  const item = ({row, at, objective}) => ({value: [at, nothing(objective) ? worst : y.at(objective)], row});
  const tip = {formatter: ({data: {row}}) => tooltip(trialName(plot.index[row]), [
    [plot.hyperparameter, short(plot.value[row])], [metric, nothing(plot.objective[row]) ? 'infeasible' : short(plot.objective[row])],
    ['rank in its arm', plot.rank[row] ? String(plot.rank[row]) : ''],
  ])};
  const best = feasible.filter(({rank}) => rank).sort((one, other) => one.rank - other.rank);
  const areas = x.numeric ? marked(plot, x) : [];
  return {
    option: {
      ...base(), grid: grid({top: 10}), xAxis: drawnAxis(x, 'x'),
      yAxis: {...drawnAxis(y, 'y'), ...(infeasible.length ? {[data.objective.minimize ? 'max' : 'min']: worst + (data.objective.minimize ? room / 2 : -room / 2)} : {})},
      series: [
        {...points(plot.arm, feasible.filter(({rank}) => !rank).map(item)), tooltip: tip, markArea: {
          silent: true, data: areas, itemStyle: {color: color('caution'), opacity: 0.16},
          label: {color: color('ink'), position: 'insideTop', fontWeight: 'bold', fontSize: 13},
        }},
        {...points(plot.arm, infeasible.map(item), {symbol: 'path://M0,0L10,10M10,0L0,10', symbolSize: infeasible.length > 50 ? 6 : 9, itemStyle: {color: 'transparent', borderColor: color('bad'), borderWidth: infeasible.length > 50 ? 1.2 : 2}}), tooltip: tip},
        {...points(plot.arm, best.map((one) => ({...item(one), label: {formatter: () => String(one.rank)}})), {
          symbolSize: 20, z: 5, itemStyle: {color: armColor(plot.arm), borderColor: color('ink'), borderWidth: 2, opacity: 1},
          label: {show: true, color: color('ground'), fontWeight: 'bold', fontSize: 11},
        }), tooltip: tip},
      ],
    },
    summary: `${rows.length} trials, ${infeasible.length} infeasible.${best.length ? ` The best ${best.length === 1 ? 'is' : `${best.length} are`} at ${best.map(({row}) => short(plot.value[row])).join(', ')}.` : ''}`,
    table: {
      headings: ['Trial', plot.hyperparameter, metric, 'Rank in its arm'],
      rows: rows.map(({row, objective, rank}) => [trialName(plot.index[row]), plot.value[row], nothing(objective) ? 'infeasible' : objective, rank || '']),
    },
  };
};

/** What lies between two curves. */
const band = (arm, xs, lows, highs) => ({
  type: 'custom', data: [[xs[0], lows[0]]], silent: true, z: 1, clip: true,
  renderItem: (_, api) => ({
    type: 'polygon', style: {fill: armColor(arm), opacity: 0.16},
    shape: {points: [...xs.map((x, place) => api.coord([x, lows[place]])), ...xs.map((x, place) => api.coord([x, highs[place]])).reverse()]},
  }),
});

const bestOfM = (arms, view) => {
  const everyM = arms.flatMap(({m}) => m);
  const x = numericAxis('trials of an arm (m)', view.plain ? linear : log, 1, Math.max(2, ...everyM));
  const y = valueAxis(metric, arms.flatMap(({expected, low, high}) => [...expected, ...(view.logarithmic ? [] : [...low, ...high])]), view.logarithmic);
  const series = arms.flatMap(({arm, m, expected, low, high}) => {
    const known = m.map((_, place) => place).filter((place) => !nothing(low[place]));
    const xs = known.map((place) => x.at(m[place]));
    const bands = known.length > 1 ? [band(arm, xs, known.map((place) => within(y, low[place])), known.map((place) => within(y, high[place])))] : [];
    return [...bands, {
      type: 'line', data: m.map((count, place) => [x.at(count), y.at(expected[place])]), symbol: armShape(arm), symbolSize: 7, showSymbol: true,
      itemStyle: {color: armColor(arm)}, lineStyle: {color: armColor(arm), type: armDash(arm), width: 2.5}, z: 3,
      endLabel: {show: several, formatter: () => data.arms[arm], color: armColor(arm), width: 150, overflow: 'truncate'},
      tooltip: {formatter: ({dataIndex}) => tooltip(data.arms[arm], [['trials', short(m[dataIndex])], [metric, short(expected[dataIndex])],
        ['95% interval', nothing(low[dataIndex]) ? '' : `${short(low[dataIndex])} to ${short(high[dataIndex])}`]])},
    }];
  });
  const end = ({expected}) => expected[expected.length - 1];
  return {
    option: {...base(), grid: grid({right: several ? 165 : 20}), xAxis: drawnAxis(x, 'x'), yAxis: drawnAxis(y, 'y'), series},
    summary: `What a search of m trials is expected to reach, with 95% intervals as far as they can be trusted. ${arms.map((one) => `${data.arms[one.arm]}: ${short(one.expected[0])} with one trial, ${short(end(one))} with ${one.m[one.m.length - 1]}`).join('; ')}.`,
    table: {headings: ['Arm', 'm', `Expected ${metric}`, 'Low', 'High'], rows: arms.flatMap(({arm, m, expected, low, high}) => m.map((count, place) => [data.arms[arm], count, expected[place], low[place], high[place]]))},
  };
};
