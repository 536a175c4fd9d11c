// Training curves of an arm's best trials: a colour and a shape for each trial, solid for validation, dashed for training.

/** The pictures that the arms' curves can show, as titles. */
const curveTitles = [...new Set(data.curves.flatMap(({pictures}) => pictures.map(({title}) => title)))];

const curves = (plot, view) => {
  const picture = plot.pictures.find(({title}) => title === (view.picture ?? curveTitles[0])) ?? {title: '', metrics: []};
  const lines = plot.trials.flatMap((trial, place) => picture.metrics
    .filter(({name}) => trial.curves[name])
    .map(({name, training}) => ({trial: trial.name, place, name, training, steps: trial.curves[name][0], values: trial.curves[name][1]})));
  const everyStep = lines.flatMap(({steps}) => steps);
  const x = valueAxis(plot.trials.every(({steps}) => steps) ? 'step' : 'evaluation', [0, ...everyStep], false);
  const y = valueAxis(picture.title, lines.flatMap(({values}) => values), view.logarithmic);
  const marks = plot.marks.filter((mark) => picture.metrics.some(({name}) => name === mark.metric));
  const series = lines.map(({trial, place, name, training, steps, values}) => ({
    type: 'line', connectNulls: true, data: steps.map((step, point) => [x.at(step), y.at(values[point])]), z: training ? 2 : 3,
    symbol: armShape(place), symbolSize: 6, showSymbol: !training, itemStyle: {color: armColor(place)},
    lineStyle: {color: armColor(place), width: training ? 1.5 : 2.2, type: training ? [6, 4] : 'solid', opacity: training ? 0.8 : 1},
    tooltip: {formatter: ({dataIndex}) => tooltip(trial, [['rank in its arm', String(place + 1)], [x.name, short(steps[dataIndex])], [name, short(values[dataIndex])]])},
    markLine: {
      silent: true, symbol: ['none', 'none'], lineStyle: {color: color('caution'), width: 2, type: 'solid'},
      label: {show: true, formatter: ({name: label}) => label, color: color('ink'), fontWeight: 'bold'},
      data: marks.filter((mark) => mark.trial === trial && mark.metric === name).map(({finding, step}) => ({name: `F${finding}`, xAxis: x.at(step)})),
    },
  }));
  const best = lines.filter(({training}) => !training).map(({trial, values}) => {
    const known = values.filter((value) => !nothing(value));
    return `${trial} ends at ${short(known[known.length - 1])}`;
  });
  return {
    option: {...base(), grid: grid({top: 24}), xAxis: drawnAxis(x, 'x'), yAxis: drawnAxis(y, 'y'), series},
    summary: lines.length ? `${best.join('; ') || `${picture.metrics.map(({name}) => name).join(', ')}`}.${marks.map(({finding, step}) => ` F${finding} is at ${x.name} ${step}.`).join('')}` : 'No curves of this metric were kept.',
    key: plot.trials.map(({name}, place) => ({name: `${place + 1}. ${name}`, arm: place})),
    table: {headings: ['Trial', 'Metric', x.name, 'Value'], rows: lines.flatMap(({trial, name, steps, values}) => steps.map((step, point) => [trial, name, step, values[point]]))},
  };
};
