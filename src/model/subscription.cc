#include "model/subscription.h"

namespace muster {

std::string_view to_string(Scope scope) {
    switch (scope) {
        case Scope::zone: return "zone";
        case Scope::data_center: return "dataCenter";
        case Scope::global: return "global";
    }
    return "unknown";
}

Scope parse_scope(std::string_view text) {
    if (text == "dataCenter") {
        return Scope::data_center;
    }
    return text == "global" ? Scope::global : Scope::zone;
}

}  // namespace muster
