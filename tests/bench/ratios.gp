# How many times as much CPU time the better nats-server takes: one bar per scenario, a mark where the bar is set.
# report.py puts `title` and the data block $bars (place, name, ratio, mark) in front.
stats $bars using 1 nooutput
set terminal svg size 900,22*STATS_records+90 dynamic font "sans-serif,12" background "#ffffff"
set title "CPU time of nats-server over that of vouchd\n{/*0.8 ".title."}"
set logscale x 2
set xrange [0.5:*]
set yrange [-0.7:STATS_records-0.3]
set format x "%gx"
set grid xtics lc rgb "#dddddd"
set ytics nomirror scale 0
set border 1
set key outside bottom horizontal
set style fill solid 1 noborder
plot $bars using (0.5):1:(0.5):($4 <= $3 ? $3 : NaN):($1-0.35):($1+0.35):ytic(2) \
        with boxxyerror lc rgb "#2a7ab8" title "vouchd, bar cleared", \
     '' using (0.5):1:(0.5):($4 > $3 ? $3 : NaN):($1-0.35):($1+0.35) \
        with boxxyerror lc rgb "#d0852b" title "vouchd, below the bar", \
     '' using 4:1:(0):(0.4) with vectors nohead lw 3 lc rgb "#222222" notitle, \
     '' using 4:($1-0.4):(0):(0.8) with vectors nohead lw 2 lc rgb "#222222" title "bar", \
     '' using 3:1:(sprintf(" %.1fx", $3)) with labels left font ",10" notitle
