#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <span>
#include <string_view>
#include <utility>

#include "base/time.h"

namespace muster {

// Probes are plain members of the class they describe; `write_metrics(MetricsWriter&)` of that
// class tells them by name. One loop thread owns a probe, so nothing here is atomic.
class Counter {
public:
    void add(std::uint64_t count = 1) {
        value_ += count;
    }
    [[nodiscard]] std::uint64_t value() const {
        return value_;
    }

private:
    std::uint64_t value_ = 0;
};

// Durations counted in buckets, as a writer of metrics sees them.
struct HistogramView {
    std::span<const std::uint64_t> bounds_us;  // rising; a bucket holds what is not above its bound
    std::span<const std::uint64_t> counts;     // one more: what is above all of them
    std::uint64_t count = 0;
    std::uint64_t sum_us = 0;
};

// Counts of durations in buckets whose bounds double from 1 us to about 67 s.
class LatencyHistogram {
public:
    static constexpr std::size_t kBuckets = 27;

    void record(Duration duration);

    // Upper bound of bucket `i` in microseconds: 2^i.
    [[nodiscard]] static constexpr std::uint64_t bound_us(std::size_t i) {
        return std::uint64_t{1} << i;
    }
    [[nodiscard]] const std::array<std::uint64_t, kBuckets + 1>& counts() const {
        return counts_;
    }
    [[nodiscard]] std::uint64_t count() const {
        return count_;
    }
    [[nodiscard]] std::uint64_t sum_us() const {
        return sum_us_;
    }
    // Valid while this lives and nothing is recorded.
    operator HistogramView() const;  // NOLINT(google-explicit-constructor)

private:
    std::array<std::uint64_t, kBuckets + 1> counts_{};  // the last one: above every bound
    std::uint64_t count_ = 0;
    std::uint64_t sum_us_ = 0;
};

using MetricLabels = std::initializer_list<std::pair<std::string_view, std::string_view>>;

// What turns probes into a format (Prometheus text at the HTTP door). Names follow Prometheus:
// muster_<role>_<what>_<unit>[_total].
class MetricsWriter {
public:
    virtual ~MetricsWriter() = default;
    virtual void counter(std::string_view name, std::string_view help, std::uint64_t value,
                         MetricLabels labels = {}) = 0;
    virtual void gauge(std::string_view name, std::string_view help, std::int64_t value,
                       MetricLabels labels = {}) = 0;
    virtual void histogram(std::string_view name, std::string_view help,
                           const HistogramView& histogram, MetricLabels labels = {}) = 0;
};

}  // namespace muster
