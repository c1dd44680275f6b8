#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <string>

#include "base/time.h"
#include "model/ids.h"
#include "model/service.h"
#include "msg/brake.h"

namespace muster::data {

// What the brake holds of one service: publications without a session, which stay until somebody
// says their id again, an operator decides, or their time is over.
struct HeldService {
    ServicePtr service;
    msg::BrakeScope scope = msg::BrakeScope::service;  // whose brake held the first of them
    MonoTime since;
    std::string why;
    std::map<RegistId, MonoTime> until;  // when each goes; some may have been heard again
};

// Since when a publication is nobody's that the brake does not hold (orphans.cc): of those it holds
// it is the wall clock's time, in milliseconds.
inline constexpr std::uint64_t kUnclaimed = 0;

// By data_info_id, of slots led here. Bounded by the publications there are.
using HeldServices = std::map<std::string, HeldService>;

}  // namespace muster::data
