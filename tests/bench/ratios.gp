# How many times as much CPU time the better nats-server takes: one bar per scenario, a mark where the bar is set.
# report.py puts `title` and the data block $bars (place, name, ratio, mark) in front.
set datafile separator tab
stats $bars using 1 nooutput
set terminal svg size 900,20*STATS_records+110 dynamic font "sans-serif,12" background "#ffffff"
set label "nats-server over vouchd, in CPU time (p50, p99.9: in waiting time)" at screen 0.5, screen 0.97 center
set label title at screen 0.5, screen 0.94 center font ",10"
set tmargin 4
set logscale x 2
set xrange [0.5:24]
set yrange [-0.7:STATS_records-0.3]
set format x "%gx"
set grid xtics lc rgb "#dddddd"
set ytics nomirror scale 0
set xtics nomirror
set border 1
set arrow from 1, graph 0 to 1, graph 1 nohead lc rgb "#222222"
set key outside bottom horizontal
set style fill solid 1 noborder
box = 0.33
plot $bars using ($4 <= $3 ? 1 : NaN):1:(1):3:($1-box):($1+box):ytic(2) \
        with boxxyerror lc rgb "#2a7ab8" title "as required", \
     '' using ($4 > $3 ? 1 : NaN):1:(1):3:($1-box):($1+box) \
        with boxxyerror lc rgb "#d0852b" title "less than required", \
     '' using 4:($1-0.45):(0):(0.9) with vectors nohead lw 2.5 lc rgb "#222222" title "required", \
     '' using ($3 > $4 ? $3 : $4):1:(sprintf("  %.1f", $3)) with labels left font ",10" notitle
