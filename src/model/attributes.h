#pragma once

#include <cstddef>
#include <map>
#include <memory>
#include <string>
#include <utility>

namespace muster {

// Names with values that few publications have: one pointer where there are none.
class Attributes {
public:
    using Map = std::map<std::string, std::string>;

    Attributes() = default;
    Attributes(std::initializer_list<Map::value_type> values) : Attributes(Map(values)) {}
    Attributes(Map values)
        : values_(values.empty() ? nullptr : std::make_unique<Map>(std::move(values))) {}
    Attributes(const Attributes& other) : Attributes(other.map()) {}
    Attributes(Attributes&& other) noexcept = default;
    Attributes& operator=(const Attributes& other) {
        return *this = Attributes(other);
    }
    Attributes& operator=(Attributes&& other) noexcept = default;
    ~Attributes() = default;

    [[nodiscard]] const Map& map() const;
    [[nodiscard]] Map::const_iterator begin() const {
        return map().begin();
    }
    [[nodiscard]] Map::const_iterator end() const {
        return map().end();
    }
    [[nodiscard]] std::size_t size() const {
        return map().size();
    }

    [[nodiscard]] bool operator==(const Attributes& other) const {
        return map() == other.map();
    }

private:
    std::unique_ptr<Map> values_;  // null: none
};

}  // namespace muster
