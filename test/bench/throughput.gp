# Throughput by size, from a file that plot.py makes of the CSV: a block for each of the tools that are
# there, which is its name, then lines of bytes and MB/s.
#
# usage: gnuplot -e "data = '...'; png = '...'; tools = NUMBER" FILE

set terminal pngcairo size 1200,760 font "sans,11" linewidth 1.6 pointscale 1.1
set output png

set linetype 1 linecolor rgb "#d00000" linewidth 2.2 pointtype 7
set linetype 2 linecolor rgb "#ff8c1a" linewidth 2.2 pointtype 5
set linetype 3 linecolor rgb "#1f4fbf" pointtype 9
set linetype 4 linecolor rgb "#3aa0e0" pointtype 11
set linetype 5 linecolor rgb "#0b7a3b" pointtype 13
set linetype 6 linecolor rgb "#62c370" pointtype 4
set linetype 7 linecolor rgb "#8a4fbf" pointtype 6
set linetype 8 linecolor rgb "#c65fa0" pointtype 8
set linetype 9 linecolor rgb "#8a6a3a" pointtype 10
set linetype 10 linecolor rgb "#333333" pointtype 12
set linetype 11 linecolor rgb "#999999" pointtype 2

set title "File to file over loopback: throughput by size (medians).\n".\
	"Behind a gap: to a pipe, where memory does not hold the file twice"
set xlabel "size of the file, bytes"
set ylabel "MB/s"
set logscale x 2
set logscale y 10
set xtics ("1K" 2**10, "16K" 2**14, "256K" 2**18, "4M" 2**22, "64M" 2**26, "1G" 2**30, "4G" 2**32, \
	"16G" 2**34)
set format y "%g"
set grid xtics ytics mytics linecolor rgb "#cccccc", linecolor rgb "#eeeeee"
set key outside right top Left reverse samplen 2 spacing 1.2
set offsets graph 0.03, graph 0.03, 0, 0

plot for [i = 0:tools - 1] data index i using 1:2 with linespoints linetype i + 1 title columnheader(1)
