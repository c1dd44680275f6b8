#pragma once

#include <concepts>
#include <cstdint>
#include <initializer_list>
#include <string>
#include <string_view>

namespace muster {

enum class LogLevel : std::uint8_t { debug, info, warning, error };

[[nodiscard]] std::string_view to_string(LogLevel level);

// One typed field of a log event.
struct LogField {
    std::string_view key;
    std::string value;

    LogField(std::string_view k, std::string_view v) : key(k), value(v) {}
    LogField(std::string_view k, const char* v) : key(k), value(v) {}
    LogField(std::string_view k, const std::string& v) : key(k), value(v) {}
    LogField(std::string_view k, bool v) : key(k), value(v ? "true" : "false") {}
    template <std::integral T>
    LogField(std::string_view k, T v) : key(k), value(std::to_string(v)) {}
};

// Where log events go: runtime/log writes them out, the simulator captures them.
class LogSink {
public:
    virtual ~LogSink() = default;
    virtual void write(LogLevel level, std::string_view event,
                       std::initializer_list<LogField> fields) = 0;
};

// Logs are events: a stable dotted name ("session.push.timeout") and fields. A value that is
// passed to whoever logs; a default one is silent. Any thread, if the sink allows it.
class Log {
public:
    Log() = default;
    Log(LogSink& sink, LogLevel lowest) : sink_(&sink), lowest_(lowest) {}

    void debug(std::string_view event, std::initializer_list<LogField> fields = {}) const {
        write(LogLevel::debug, event, fields);
    }
    void info(std::string_view event, std::initializer_list<LogField> fields = {}) const {
        write(LogLevel::info, event, fields);
    }
    void warning(std::string_view event, std::initializer_list<LogField> fields = {}) const {
        write(LogLevel::warning, event, fields);
    }
    void error(std::string_view event, std::initializer_list<LogField> fields = {}) const {
        write(LogLevel::error, event, fields);
    }

private:
    void write(LogLevel level, std::string_view event,
               std::initializer_list<LogField> fields) const {
        if (sink_ != nullptr && level >= lowest_) {
            sink_->write(level, event, fields);
        }
    }

    LogSink* sink_ = nullptr;
    LogLevel lowest_ = LogLevel::info;
};

}  // namespace muster
