#include "runtime/config/config_table.h"

#include <algorithm>
#include <array>
#include <charconv>

#include "base/check.h"

namespace muster::runtime {
namespace {

constexpr std::size_t kTextMax = 4096;
constexpr std::size_t kNodeIdMax = 128;

struct DurationUnit {
    std::string_view name;
    std::int64_t nanoseconds;
};
// Longest first: writing takes the first that divides.
constexpr std::array<DurationUnit, 5> kDurationUnits{{{"h", 3'600'000'000'000},
                                                      {"m", 60'000'000'000},
                                                      {"s", 1'000'000'000},
                                                      {"ms", 1'000'000},
                                                      {"us", 1'000}}};

struct ByteUnit {
    std::string_view name;
    std::size_t bytes;
};
constexpr std::array<ByteUnit, 4> kByteUnits{
    {{"GiB", std::size_t{1} << 30}, {"MiB", std::size_t{1} << 20}, {"KiB", 1024}, {"B", 1}}};

std::optional<std::size_t> parse_number(std::string_view text) {
    std::size_t value = 0;
    const auto [end, error] = std::from_chars(text.begin(), text.end(), value);
    if (error != std::errc{} || end != text.end()) {
        return std::nullopt;
    }
    return value;
}

// The number before the unit, and the unit.
std::pair<std::string_view, std::string_view> split_unit(std::string_view text) {
    const std::size_t digits = std::min(text.find_first_not_of("0123456789"), text.size());
    return {text.substr(0, digits), text.substr(digits)};
}

template <typename T>
Result<void> take_within(const Range<T>& range, const Result<T>& parsed, T& value) {
    if (!parsed || *parsed < range.min || *parsed > range.max) {
        return fail(Errc::bad_config, "");
    }
    value = *parsed;
    return {};
}

Result<std::vector<NodeAddress>> parse_nodes(std::string_view text) {
    std::vector<NodeAddress> nodes;
    if (text.empty()) {
        return nodes;
    }
    for (const std::string_view part : split_list(text)) {
        const auto equals = part.find('=');
        if (equals == std::string_view::npos || !is_node_id(part.substr(0, equals))) {
            return fail(Errc::bad_config, "");
        }
        auto address = env::parse_socket_address(part.substr(equals + 1));
        if (!address || address->port == 0) {
            return fail(Errc::bad_config, "");
        }
        NodeAddress node{.node = NodeId(std::string(part.substr(0, equals))),
                         .address = std::move(*address)};
        for (const NodeAddress& other : nodes) {
            if (other.node == node.node || other.address == node.address) {
                return fail(Errc::bad_config, "");
            }
        }
        nodes.push_back(std::move(node));
    }
    return nodes;
}

std::string_view group_of(std::string_view name) {
    const auto dot = name.find('.');
    return dot == std::string_view::npos ? std::string_view() : name.substr(0, dot);
}

}  // namespace

bool is_node_id(std::string_view text) {
    return !text.empty() && text.size() <= kNodeIdMax && std::ranges::all_of(text, [](char c) {
        return c > ' ' && c < '\x7f' && c != ',' && c != '=';
    });
}

Result<Duration> parse_duration(std::string_view text) {
    const auto [digits, unit] = split_unit(text);
    const auto number = parse_number(digits);
    for (const DurationUnit& known : kDurationUnits) {
        if (number && unit == known.name) {
            constexpr auto kMax = std::numeric_limits<std::int64_t>::max();
            if (*number > static_cast<std::size_t>(kMax / known.nanoseconds)) {
                break;
            }
            return Duration(static_cast<std::int64_t>(*number) * known.nanoseconds);
        }
    }
    return fail(Errc::bad_config, "'" + std::string(text) + "' is not a duration such as 250ms");
}

std::string write_duration(Duration duration) {
    if (duration == Duration::zero()) {
        return "0s";
    }
    for (const DurationUnit& unit : kDurationUnits) {
        if (duration.count() % unit.nanoseconds == 0) {
            return std::to_string(duration.count() / unit.nanoseconds) + std::string(unit.name);
        }
    }
    return std::to_string(duration.count() / 1000) + "us";
}

Result<std::size_t> parse_bytes(std::string_view text) {
    const auto [digits, unit] = split_unit(text);
    const auto number = parse_number(digits);
    for (const ByteUnit& known : kByteUnits) {
        if (number && unit == known.name) {
            if (*number > std::numeric_limits<std::size_t>::max() / known.bytes) {
                break;
            }
            return *number * known.bytes;
        }
    }
    return fail(Errc::bad_config, "'" + std::string(text) + "' is not a size such as 64MiB");
}

std::string write_bytes(std::size_t bytes) {
    for (const ByteUnit& unit : kByteUnits) {
        if (bytes > 0 && bytes % unit.bytes == 0) {
            return std::to_string(bytes / unit.bytes) + std::string(unit.name);
        }
    }
    return std::to_string(bytes) + "B";
}

std::vector<std::string_view> split_list(std::string_view text) {
    std::vector<std::string_view> parts;
    for (;;) {
        const auto comma = text.find(',');
        std::string_view part = text.substr(0, comma);
        while (part.starts_with(' ')) {
            part.remove_prefix(1);
        }
        while (part.ends_with(' ')) {
            part.remove_suffix(1);
        }
        parts.push_back(part);
        if (comma == std::string_view::npos) {
            return parts;
        }
        text.remove_prefix(comma + 1);
    }
}

std::size_t edit_distance(std::string_view a, std::string_view b) {
    // Optimal string alignment; three rows of the table are enough.
    std::vector<std::size_t> before_last(b.size() + 1);
    std::vector<std::size_t> last(b.size() + 1);
    std::vector<std::size_t> row(b.size() + 1);
    for (std::size_t j = 0; j <= b.size(); ++j) {
        last[j] = j;
    }
    for (std::size_t i = 1; i <= a.size(); ++i) {
        row[0] = i;
        for (std::size_t j = 1; j <= b.size(); ++j) {
            const std::size_t replaced = last[j - 1] + (a[i - 1] == b[j - 1] ? 0 : 1);
            row[j] = std::min({last[j] + 1, row[j - 1] + 1, replaced});
            if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1]) {
                row[j] = std::min(row[j], before_last[j - 2] + 1);
            }
        }
        before_last.swap(last);
        last.swap(row);
    }
    return last[b.size()];
}

void ConfigTable::add(ConfigKey key) {
    CHECK_BECAUSE(find(key.name) == nullptr, "a key is added once");
    const auto same_group = [&](const ConfigKey& other) {
        return group_of(other.name) == group_of(key.name);
    };
    // Behind the last key of its group.
    const auto last = std::find_if(keys_.rbegin(), keys_.rend(), same_group);
    keys_.insert(last == keys_.rend() ? keys_.end() : last.base(), std::move(key));
}

const ConfigKey* ConfigTable::find(std::string_view name) const {
    const auto at = std::ranges::find(keys_, name, &ConfigKey::name);
    return at == keys_.end() ? nullptr : &*at;
}

std::optional<std::string_view> ConfigTable::nearest(std::string_view name) const {
    if (name.size() > 200) {
        return std::nullopt;
    }
    std::optional<std::string_view> best;
    std::size_t best_distance = std::max<std::size_t>(2, name.size() / 3) + 1;
    for (const ConfigKey& key : keys_) {
        const std::string_view known = key.name;
        std::size_t distance = edit_distance(name, known);
        // A key written without its group, or in the wrong one.
        if (const auto dot = known.find('.'); dot != std::string_view::npos) {
            const std::string_view leaf = name.substr(name.rfind('.') + 1);
            distance = std::min(distance, edit_distance(leaf, known.substr(dot + 1)) + 1);
        }
        if (distance < best_distance) {
            best = known;
            best_distance = distance;
        }
    }
    return best;
}

Result<void> ConfigTable::assign(const ConfigKey& key, std::string_view value) const {
    auto outcome = key.assign(value);
    if (outcome) {
        return {};
    }
    std::string got(value.substr(0, 100));
    got += value.size() > 100 ? "..." : "";
    return fail(Errc::bad_config, key.name + ": expected " + key.expected + ", got '" + got + "'");
}

std::string ConfigTable::unknown(std::string_view name) const {
    std::string text = "unknown key '" + std::string(name.substr(0, 200)) + "'";
    if (const auto near = nearest(name)) {
        return text + "; did you mean '" + std::string(*near) + "'?";
    }
    return text + "; docs/reference/configuration.md lists all keys";
}

void ConfigTable::text(std::string name, std::string& value, std::string help) {
    add({.name = std::move(name),
         .type = "text",
         .initial = value,
         .help = std::move(help),
         .expected = "a text of at most " + std::to_string(kTextMax) + " bytes",
         .assign = [&value](std::string_view text) -> Result<void> {
             if (text.size() > kTextMax) {
                 return fail(Errc::bad_config, "");
             }
             value = text;
             return {};
         }});
}

void ConfigTable::integer(std::string name, std::size_t& value, Range<std::size_t> range,
                          std::string help) {
    const std::string limits = std::to_string(range.min) + " to " + std::to_string(range.max);
    add({.name = std::move(name),
         .type = "number",
         .initial = std::to_string(value),
         .range = limits,
         .help = std::move(help),
         .expected = "a whole number from " + limits,
         .assign = [&value, range](std::string_view text) -> Result<void> {
             const auto parsed = parse_number(text);
             if (!parsed) {
                 return fail(Errc::bad_config, "");
             }
             return take_within<std::size_t>(range, *parsed, value);
         }});
}

void ConfigTable::bytes(std::string name, std::size_t& value, Range<std::size_t> range,
                        std::string help) {
    const std::string limits = write_bytes(range.min) + " to " + write_bytes(range.max);
    add({.name = std::move(name),
         .type = "size",
         .initial = write_bytes(value),
         .range = limits,
         .help = std::move(help),
         .expected = "a size such as 64MiB (B, KiB, MiB, GiB) from " + limits,
         .assign = [&value, range](std::string_view text) {
             return take_within(range, parse_bytes(text), value);
         }});
}

void ConfigTable::percent(std::string name, std::size_t& value, Range<std::size_t> range,
                          std::string help) {
    const std::string limits =
        std::to_string(range.min) + "% to " + std::to_string(range.max) + "%";
    add({.name = std::move(name),
         .type = "percentage",
         .initial = std::to_string(value) + "%",
         .range = limits,
         .help = std::move(help),
         .expected = "a percentage such as 10% from " + limits,
         .assign = [&value, range](std::string_view text) -> Result<void> {
             const auto [digits, unit] = split_unit(text);
             const auto parsed = parse_number(digits);
             if (!parsed || unit != "%") {
                 return fail(Errc::bad_config, "");
             }
             return take_within<std::size_t>(range, *parsed, value);
         }});
}

void ConfigTable::duration(std::string name, Duration& value, Range<Duration> range,
                           std::string help) {
    const std::string limits = write_duration(range.min) + " to " + write_duration(range.max);
    add({.name = std::move(name),
         .type = "duration",
         .initial = write_duration(value),
         .range = limits,
         .help = std::move(help),
         .expected = "a duration such as 250ms (us, ms, s, m, h) from " + limits,
         .assign = [&value, range](std::string_view text) {
             return take_within(range, parse_duration(text), value);
         }});
}

void ConfigTable::address(std::string name, env::SocketAddress& value, std::string help) {
    add({.name = std::move(name),
         .type = "address",
         .initial = env::to_string(value),
         .help = std::move(help),
         .expected = "a numeric ip:port such as 127.0.0.1:9600 or [::]:9600",
         .assign = [&value](std::string_view text) -> Result<void> {
             auto parsed = env::parse_socket_address(text);
             if (!parsed) {
                 return fail(Errc::bad_config, "");
             }
             value = std::move(*parsed);
             return {};
         }});
}

void ConfigTable::address(std::string name, std::optional<env::SocketAddress>& value,
                          std::string help) {
    add({.name = std::move(name),
         .type = "address",
         .initial = value ? env::to_string(*value) : std::string(),
         .help = std::move(help),
         .expected = "a numeric ip:port such as 192.0.2.7:9600, or nothing",
         .assign = [&value](std::string_view text) -> Result<void> {
             if (text.empty()) {
                 value.reset();
                 return {};
             }
             auto parsed = env::parse_socket_address(text);
             if (!parsed) {
                 return fail(Errc::bad_config, "");
             }
             value = std::move(*parsed);
             return {};
         }});
}

void ConfigTable::nodes(std::string name, std::vector<NodeAddress>& value, std::string help) {
    std::string initial;
    for (const NodeAddress& node : value) {
        initial +=
            (initial.empty() ? "" : ",") + node.node.raw() + "=" + env::to_string(node.address);
    }
    add({.name = std::move(name),
         .type = "list of node=address",
         .initial = std::move(initial),
         .help = std::move(help),
         .expected = "node=ip:port with commas between, numeric and each once, such as "
                     "m1=192.0.2.1:9610,m2=192.0.2.2:9610",
         .is_list = true,
         .assign = [&value](std::string_view text) -> Result<void> {
             auto parsed = parse_nodes(text);
             if (!parsed) {
                 return fail(Errc::bad_config, "");
             }
             value = std::move(*parsed);
             return {};
         }});
}

}  // namespace muster::runtime
