#pragma once

#include <algorithm>
#include <cstddef>
#include <memory>
#include <string>

#include "core.h"
#include "failure.h"

// The handle behind `muster_client*`.
struct muster_client {
    std::shared_ptr<muster::sdk_core::Core> core;
};

struct muster_call {
    muster::sdk_core::Core::Picked picked;
};

namespace muster::sdk_core {

// Keeps the message for muster_error_message() of this thread.
muster_status report(const Failure& failure);

template <typename T>
muster_status report(const Outcome<T>& outcome) {
    return outcome ? MUSTER_OK : report(outcome.error());
}

// A struct of the caller, perhaps of an older version, over the defaults. Errors:
// INVALID_ARGUMENT when it is newer than this library or was not initialised.
template <typename Struct>
Outcome<Struct> read_struct(const Struct* given, void (*init)(Struct*)) {
    Struct value;
    init(&value);
    if (given == nullptr || given->size < sizeof given->size) {
        return failed(MUSTER_INVALID_ARGUMENT, "a struct is missing or was not initialised");
    }
    if (given->size > sizeof value) {
        return failed(MUSTER_INVALID_ARGUMENT, "a struct is newer than this library");
    }
    std::copy_n(reinterpret_cast<const char*>(given), given->size, reinterpret_cast<char*>(&value));
    return value;
}

// As much of `value` as the caller's struct has room for; its size stays.
template <typename Struct>
muster_status write_struct(Struct value, Struct* out) {
    if (out == nullptr || out->size < sizeof out->size) {
        return report(Failure{MUSTER_INVALID_ARGUMENT, "a struct is missing or not initialised"});
    }
    value.size = std::min(out->size, sizeof value);
    std::copy_n(reinterpret_cast<const char*>(&value), value.size, reinterpret_cast<char*>(out));
    return MUSTER_OK;
}

// Runs `function`, which answers a muster_status; what our dependencies throw ends here.
template <typename Function>
muster_status guarded(Function&& function) {
    try {
        return function();
    } catch (const std::bad_alloc&) {
        return report(Failure{MUSTER_IO_ERROR, "out of memory"});
    } catch (const std::exception& error) {
        return report(Failure{MUSTER_INTERNAL, error.what()});
    }
}

[[nodiscard]] inline Duration ms(std::uint32_t count) {
    return std::chrono::milliseconds(count);
}

}  // namespace muster::sdk_core
