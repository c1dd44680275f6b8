#include "doors/http/metrics_text.h"

#include <limits>
#include <map>
#include <vector>

#include <prometheus/metric_family.h>
#include <prometheus/text_serializer.h>

namespace muster::http {
namespace {

constexpr double kMicrosecondsPerSecond = 1e6;
constexpr double kSecondsPerNanosecond = 1e-9;

}  // namespace

class MetricsText::Impl {
public:
    // A new sample of the family of that name.
    prometheus::ClientMetric& add(std::string_view name, std::string_view help,
                                  prometheus::MetricType type, MetricLabels labels) {
        const auto [at, is_new] = by_name_.try_emplace(std::string(name), families_.size());
        if (is_new) {
            families_.push_back(
                {.name = std::string(name), .help = std::string(help), .type = type, .metric = {}});
        }
        auto& sample = families_[at->second].metric.emplace_back();
        for (const auto& [key, value] : labels) {
            sample.label.push_back({std::string(key), std::string(value)});
        }
        return sample;
    }

    [[nodiscard]] const std::vector<prometheus::MetricFamily>& families() const {
        return families_;
    }

private:
    std::vector<prometheus::MetricFamily> families_;
    std::map<std::string, std::size_t> by_name_;
};

MetricsText::MetricsText() : impl_(std::make_unique<Impl>()) {}
MetricsText::~MetricsText() = default;

void MetricsText::counter(std::string_view name, std::string_view help, std::uint64_t value,
                          MetricLabels labels) {
    auto& sample = impl_->add(name, help, prometheus::MetricType::Counter, labels);
    sample.counter.value = static_cast<double>(value);
}

void MetricsText::gauge(std::string_view name, std::string_view help, std::int64_t value,
                        MetricLabels labels) {
    auto& sample = impl_->add(name, help, prometheus::MetricType::Gauge, labels);
    sample.gauge.value = static_cast<double>(value);
}

void MetricsText::histogram(std::string_view name, std::string_view help,
                            const HistogramView& histogram, MetricLabels labels) {
    auto& sample = impl_->add(name, help, prometheus::MetricType::Histogram, labels).histogram;
    std::uint64_t below = 0;
    for (std::size_t i = 0; i < histogram.bounds_us.size(); ++i) {
        below += histogram.counts[i];
        // Divided, so that 5000 us is written as 0.005.
        const double bound = static_cast<double>(histogram.bounds_us[i]) / kMicrosecondsPerSecond;
        sample.bucket.push_back({.cumulative_count = below, .upper_bound = bound});
    }
    sample.bucket.push_back({.cumulative_count = histogram.count,
                             .upper_bound = std::numeric_limits<double>::infinity()});
    sample.sample_count = histogram.count;
    sample.sample_sum = static_cast<double>(histogram.sum_us) / kMicrosecondsPerSecond;
}

void MetricsText::counter_seconds(std::string_view name, std::string_view help, Duration value) {
    auto& sample = impl_->add(name, help, prometheus::MetricType::Counter, {});
    sample.counter.value = static_cast<double>(value.count()) * kSecondsPerNanosecond;
}

void MetricsText::gauge_seconds(std::string_view name, std::string_view help, Duration value) {
    auto& sample = impl_->add(name, help, prometheus::MetricType::Gauge, {});
    sample.gauge.value = static_cast<double>(value.count()) * kSecondsPerNanosecond;
}

std::string MetricsText::serialize() const {
    return static_cast<const prometheus::Serializer&>(prometheus::TextSerializer())
        .Serialize(impl_->families());
}

}  // namespace muster::http
