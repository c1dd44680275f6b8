#include "model/attributes.h"

namespace muster {

const Attributes::Map& Attributes::map() const {
    static const Map none;
    return values_ == nullptr ? none : *values_;
}

}  // namespace muster
