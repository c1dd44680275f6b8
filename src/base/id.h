#pragma once

#include <compare>
#include <cstddef>
#include <functional>
#include <utility>

namespace muster {

// A number or string that names one kind of thing. Ids of different kinds do not mix, and there is
// no way back to the representation but `.raw()`.
template <typename Tag, typename Rep>
class Id {
public:
    constexpr Id() = default;
    explicit constexpr Id(Rep raw) : raw_(std::move(raw)) {}

    [[nodiscard]] constexpr const Rep& raw() const {
        return raw_;
    }

    [[nodiscard]] constexpr auto operator<=>(const Id&) const = default;

private:
    Rep raw_{};
};

}  // namespace muster

template <typename Tag, typename Rep>
struct std::hash<muster::Id<Tag, Rep>> {
    [[nodiscard]] std::size_t operator()(const muster::Id<Tag, Rep>& id) const {
        return std::hash<Rep>{}(id.raw());
    }
};
