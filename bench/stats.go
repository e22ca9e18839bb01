package main

import (
	"fmt"
	"math"
	"slices"
)

// percentile is the value below which the share p (0 to 1) of the values lies, by the nearest rank; NaN of none.
func percentile[T int | int64 | float64](values []T, p float64) float64 {
	if len(values) == 0 {
		return math.NaN()
	}
	sorted := slices.Sorted(slices.Values(values))
	rank := int(math.Ceil(p*float64(len(sorted)))) - 1
	return float64(sorted[min(max(rank, 0), len(sorted)-1)])
}

// median is the middle value, or the mean of the two in the middle.
func median[T int | int64 | float64](values []T) float64 {
	if len(values) == 0 {
		return math.NaN()
	}
	sorted := slices.Sorted(slices.Values(values))
	half := len(sorted) / 2
	if len(sorted)%2 == 1 {
		return float64(sorted[half])
	}
	return (float64(sorted[half-1]) + float64(sorted[half])) / 2
}

// spread is the middle half of the values, as shares of the median: "-0.4% +0.6%".
func spread(values []float64) string {
	share := func(p float64) float64 { return (percentile(values, p)/median(values) - 1) * 100 }
	return fmt.Sprintf("%+.1f%% %+.1f%%", share(0.25), share(0.75))
}

// medianOf is the median of one figure of the samples.
func medianOf[S any](samples []S, figure func(S) float64) float64 {
	values := make([]float64, len(samples))
	for i, s := range samples {
		values[i] = figure(s)
	}
	return median(values)
}
