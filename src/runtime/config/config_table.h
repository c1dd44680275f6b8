#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <initializer_list>
#include <limits>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.h"
#include "base/time.h"
#include "env/net.h"
#include "model/ids.h"

namespace muster::runtime {

// One configuration key as people see it.
struct ConfigKey {
    std::string name;      // "session.write_wait"
    std::string type;      // "duration", "one of text, json"
    std::string initial;   // the default as it would be written; empty: none
    std::string range;     // "1ms to 10s"; empty: none
    std::string help;      // one or two sentences
    std::string expected;  // what an error says was expected
    bool is_list = false;
    // Takes the written value; the variable is unchanged on failure. Errors: bad_config.
    std::function<Result<void>(std::string_view)> assign;
};

template <typename T>
struct Range {
    T min;
    T max;
};

// Another node, and where it is.
struct NodeAddress {
    NodeId node;
    env::SocketAddress address;

    [[nodiscard]] bool operator==(const NodeAddress&) const = default;
};

// All keys of one configuration: each bound to a variable, whose value when it is added is the
// default. What is known of a key (type, unit, range, help) stands here once: reading, errors,
// overrides and the reference page follow. The variables must outlive the table.
class ConfigTable {
public:
    // Any text of at most 4096 bytes.
    void text(std::string name, std::string& value, std::string help);
    void integer(std::string name, std::size_t& value, Range<std::size_t> range, std::string help);
    // A number with B, KiB, MiB or GiB: "64MiB".
    void bytes(std::string name, std::size_t& value, Range<std::size_t> range, std::string help);
    // A whole number with %: "10%".
    void percent(std::string name, std::size_t& value, Range<std::size_t> range, std::string help);
    // A whole number with us, ms, s, m or h: "250ms".
    void duration(std::string name, Duration& value, Range<Duration> range, std::string help);
    // "ip:port", numeric.
    void address(std::string name, env::SocketAddress& value, std::string help);
    // The same, or empty.
    void address(std::string name, std::optional<env::SocketAddress>& value, std::string help);

    // "node=ip:port,...": each node and each address once; empty for none.
    void nodes(std::string name, std::vector<NodeAddress>& value, std::string help);

    template <typename T>
    using Choices = std::vector<std::pair<std::string, T>>;

    template <typename T>
    void choice(std::string name, T& value, Choices<T> choices, std::string help);
    // One or more of `choices`, each once: a list, or text with commas.
    template <typename T>
    void choice_list(std::string name, std::vector<T>& value, Choices<T> choices, std::string help);

    // In the order of adding, the keys of one group (before the first dot) together.
    [[nodiscard]] const std::vector<ConfigKey>& keys() const {
        return keys_;
    }
    [[nodiscard]] const ConfigKey* find(std::string_view name) const;

    // The key whose name is most like `name`; none when nothing is like it.
    [[nodiscard]] std::optional<std::string_view> nearest(std::string_view name) const;

    // "session.write_wait: expected a duration such as 250ms, from 1ms to 10s, got 'soon'".
    [[nodiscard]] Result<void> assign(const ConfigKey& key, std::string_view value) const;

    // "unknown key 'sesion.write_wait'; did you mean 'session.write_wait'?"
    [[nodiscard]] std::string unknown(std::string_view name) const;

private:
    void add(ConfigKey key);
    template <typename T>
    [[nodiscard]] static std::string names_of(const Choices<T>& choices);

    std::vector<ConfigKey> keys_;
};

// Whether `text` may name a node: 1 to 128 visible ASCII characters without ',' and '='.
[[nodiscard]] bool is_node_id(std::string_view text);

[[nodiscard]] Result<Duration> parse_duration(std::string_view text);
[[nodiscard]] std::string write_duration(Duration duration);
[[nodiscard]] Result<std::size_t> parse_bytes(std::string_view text);
[[nodiscard]] std::string write_bytes(std::size_t bytes);

// Parts of `text` between commas, without blanks around them.
[[nodiscard]] std::vector<std::string_view> split_list(std::string_view text);

// Least number of inserted, removed, replaced or swapped neighbouring characters that turns one
// into the other.
[[nodiscard]] std::size_t edit_distance(std::string_view a, std::string_view b);

// ---- templates

template <typename T>
std::string ConfigTable::names_of(const Choices<T>& choices) {
    std::string all;
    for (const auto& [name, value] : choices) {
        all += (all.empty() ? "" : ", ") + name;
    }
    return all;
}

template <typename T>
void ConfigTable::choice(std::string name, T& value, Choices<T> choices, std::string help) {
    ConfigKey key{.name = std::move(name), .help = std::move(help)};
    key.type = "one of " + names_of(choices);
    key.expected = key.type;
    for (const auto& [choice_name, choice_value] : choices) {
        if (choice_value == value) {
            key.initial = choice_name;
        }
    }
    key.assign = [&value, choices = std::move(choices)](std::string_view text) -> Result<void> {
        for (const auto& [choice_name, choice_value] : choices) {
            if (choice_name == text) {
                value = choice_value;
                return {};
            }
        }
        return fail(Errc::bad_config, "");
    };
    add(std::move(key));
}

template <typename T>
void ConfigTable::choice_list(std::string name, std::vector<T>& value, Choices<T> choices,
                              std::string help) {
    ConfigKey key{.name = std::move(name), .help = std::move(help), .is_list = true};
    key.type = "list of " + names_of(choices);
    key.expected = "one or more of " + names_of(choices) + ", each once";
    for (const T& element : value) {
        for (const auto& [choice_name, choice_value] : choices) {
            if (choice_value == element) {
                key.initial += (key.initial.empty() ? "" : ", ") + choice_name;
            }
        }
    }
    key.assign = [&value, choices = std::move(choices)](std::string_view text) -> Result<void> {
        std::vector<T> chosen;
        for (const std::string_view part : split_list(text)) {
            const std::size_t before = chosen.size();
            for (const auto& [choice_name, choice_value] : choices) {
                bool given_before = false;
                for (const T& other : chosen) {
                    given_before = given_before || other == choice_value;
                }
                if (choice_name == part && !given_before) {
                    chosen.push_back(choice_value);
                    break;
                }
            }
            if (chosen.size() == before) {
                return fail(Errc::bad_config, "");
            }
        }
        value = std::move(chosen);
        return {};
    };
    add(std::move(key));
}

}  // namespace muster::runtime
