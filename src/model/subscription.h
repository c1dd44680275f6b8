#pragma once

#include <compare>
#include <cstdint>
#include <string>
#include <string_view>

#include "model/ids.h"
#include "model/publication.h"
#include "model/service.h"

namespace muster {

// Whose publications a subscriber sees: those of its zone, or all of the data centre. `global` will
// add other data centres; with one centre it equals data_center.
enum class Scope : std::uint8_t { zone, data_center, global };

// "zone", "dataCenter", "global".
[[nodiscard]] std::string_view to_string(Scope scope);

// As SOFARegistry reads it: anything else, or nothing, is `zone`.
[[nodiscard]] Scope parse_scope(std::string_view text);

// One client's standing wish to be told about a service.
struct Subscription {
    RegistId id;
    ServicePtr service;
    RegistOrder order;
    Scope scope = Scope::zone;
    std::string zone{kDefaultZone};
    std::string app;
};

// One client's standing wish to be told a configuration value (SOFARegistry: configurator).
struct Watch {
    RegistId id;
    ServicePtr key;
    RegistOrder order;
};

}  // namespace muster
