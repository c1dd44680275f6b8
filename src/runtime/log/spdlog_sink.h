#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "base/log.h"
#include "base/result.h"
#include "base/time.h"

namespace muster::runtime {

enum class LogFormat : std::uint8_t { text, json };

struct LogOptions {
    LogFormat format = LogFormat::text;
    std::string file;  // empty: standard error
    // A file at this size is renamed to .1 (and so on), the oldest of files_max is removed.
    std::size_t file_bytes_max = std::size_t{64} << 20;
    std::size_t files_max = 4;
    std::size_t lines_max = 8192;  // waiting to be written
};

// Errors: invalid_argument, naming the levels.
[[nodiscard]] Result<LogLevel> parse_log_level(std::string_view text);

// Writes log events as lines to standard error or to a file of capped size, on a thread of its own:
// a disk or a terminal that stalls holds up nobody. Any thread. Bounds: lines_max lines wait, then
// the oldest are dropped; those and lines that cannot be written are counted. Destruction writes
// out what waits.
class SpdlogSink final : public LogSink {
public:
    // Errors: io_error, when the file cannot be opened.
    [[nodiscard]] static Result<std::unique_ptr<SpdlogSink>> open(const LogOptions& options);
    ~SpdlogSink() override;

    void write(LogLevel level, std::string_view event,
               std::initializer_list<LogField> fields) override;

    // Lines that were dropped. Any thread.
    [[nodiscard]] std::uint64_t dropped() const;

private:
    class Impl;
    explicit SpdlogSink(std::unique_ptr<Impl> impl);
    std::unique_ptr<Impl> impl_;
};

// One line without its end; `at` is when it happened. Values that hold blanks, quotes or control
// characters are quoted in text, so that no value can forge a line or a field; what is not UTF-8
// is replaced in JSON (RFC 8259 8.1).
[[nodiscard]] std::string format_log_line(LogFormat format, WallTime at, LogLevel level,
                                          std::string_view event,
                                          std::initializer_list<LogField> fields);

}  // namespace muster::runtime
