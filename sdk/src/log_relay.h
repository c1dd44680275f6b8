#pragma once

#include <atomic>
#include <initializer_list>
#include <string>
#include <string_view>

#include "base/log.h"
#include "muster/muster.h"

namespace muster::sdk_core {

// Hands log events to the user's function as text. Any thread.
class LogRelay final : public LogSink {
public:
    LogRelay(muster_log_fn function, void* context) : function_(function), context_(context) {}

    void write(LogLevel level, std::string_view event,
               std::initializer_list<LogField> fields) override;

    // The process ends: nothing is handed on any more.
    void silence() {
        silent_ = true;
    }

private:
    muster_log_fn function_;
    void* context_;
    std::atomic<bool> silent_{false};
};

}  // namespace muster::sdk_core
