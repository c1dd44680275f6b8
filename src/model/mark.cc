#include "model/mark.h"

#include <charconv>
#include <string>
#include <string_view>
#include <utility>

namespace muster {
namespace {

const std::string kSince = "muster.ramp.since_ms";
const std::string kLength = "muster.ramp.length_ms";

std::optional<std::int64_t> number(const Attributes& attributes, const std::string& name) {
    const auto found = attributes.map().find(name);
    if (found == attributes.end()) {
        return std::nullopt;
    }
    const std::string_view text = found->second;
    std::int64_t value = 0;
    const auto [end, error] = std::from_chars(text.begin(), text.end(), value);
    if (error != std::errc{} || end != text.end()) {
        return std::nullopt;
    }
    return value;
}

}  // namespace

std::optional<Ramp> Ramp::read(const Attributes& attributes) {
    const auto since = number(attributes, kSince);
    const auto length = number(attributes, kLength);
    if (!since || !length || *since < 0 || *length <= 0 || *length > Mark::kRampMsMax) {
        return std::nullopt;
    }
    return Ramp{.since = {.unix_ms = *since}, .length = std::chrono::milliseconds(*length)};
}

Attributes Ramp::added_to(const Attributes& attributes) const {
    Attributes::Map all = attributes.map();
    all[kSince] = std::to_string(since.unix_ms);
    all[kLength] = std::to_string(to_ms(length));
    return Attributes(std::move(all));
}

}  // namespace muster
