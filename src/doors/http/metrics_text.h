#pragma once

#include <memory>
#include <string>

#include "base/metrics.h"
#include "base/time.h"

namespace muster::http {

// Collects what sources write and tells it as Prometheus text (exposition format 0.0.4). Samples of
// one name become one family, whatever the order they come in; latencies are told in seconds.
class MetricsText final : public MetricsWriter {
public:
    MetricsText();
    ~MetricsText() override;

    void counter(std::string_view name, std::string_view help, std::uint64_t value,
                 MetricLabels labels) override;
    void gauge(std::string_view name, std::string_view help, std::int64_t value,
               MetricLabels labels) override;
    void histogram(std::string_view name, std::string_view help, const HistogramView& histogram,
                   MetricLabels labels) override;

    // Of time, in seconds with their fraction.
    void counter_seconds(std::string_view name, std::string_view help, Duration value);
    void gauge_seconds(std::string_view name, std::string_view help, Duration value);

    [[nodiscard]] std::string serialize() const;

private:
    class Impl;
    std::unique_ptr<Impl> impl_;
};

}  // namespace muster::http
