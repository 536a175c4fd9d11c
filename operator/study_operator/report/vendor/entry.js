// What the report draws with, and nothing else of Apache ECharts. `make vendor` bundles it into echarts.js.
import {use} from 'echarts/core';
import {CustomChart, LineChart, ParallelChart, ScatterChart} from 'echarts/charts';
import {GridComponent, MarkAreaComponent, MarkLineComponent, ParallelComponent, TooltipComponent} from 'echarts/components';
import {CanvasRenderer} from 'echarts/renderers';

use([
  CanvasRenderer, CustomChart, GridComponent, LineChart, MarkAreaComponent, MarkLineComponent, ParallelChart,
  ParallelComponent, ScatterChart, TooltipComponent,
]);

export {init} from 'echarts/core';
