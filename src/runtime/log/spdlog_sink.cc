#include "runtime/log/spdlog_sink.h"

#include <atomic>
#include <chrono>
#include <csignal>
#include <exception>
#include <utility>

#include <spdlog/async.h>
#include <spdlog/async_logger.h>
#include <spdlog/pattern_formatter.h>
#include <spdlog/sinks/rotating_file_sink.h>
#include <spdlog/sinks/stdout_sinks.h>

namespace muster::runtime {
namespace {

spdlog::level::level_enum to_spdlog(LogLevel level) {
    switch (level) {
        case LogLevel::debug: return spdlog::level::debug;
        case LogLevel::info: return spdlog::level::info;
        case LogLevel::warning: return spdlog::level::warn;
        case LogLevel::error: return spdlog::level::err;
    }
    return spdlog::level::err;
}

std::int64_t unix_ms_now() {
    const auto since = std::chrono::system_clock::now().time_since_epoch();
    return std::chrono::duration_cast<std::chrono::milliseconds>(since).count();
}

// Signals are the loop's.
void block_signals() {
    sigset_t all{};
    sigfillset(&all);
    ::pthread_sigmask(SIG_BLOCK, &all, nullptr);
}

}  // namespace

class SpdlogSink::Impl {
public:
    Impl(const LogOptions& options, spdlog::sink_ptr sink)
        : format_(options.format),
          writer_(
              std::make_shared<spdlog::details::thread_pool>(options.lines_max, 1, block_signals)) {
        logger_ = std::make_shared<spdlog::async_logger>(
            "muster", std::move(sink), writer_, spdlog::async_overflow_policy::overrun_oldest);
        logger_->set_formatter(
            std::make_unique<spdlog::pattern_formatter>("%v", spdlog::pattern_time_type::utc));
        logger_->set_level(spdlog::level::trace);
        logger_->flush_on(spdlog::level::info);
        logger_->set_error_handler([this](const std::string&) { ++failed_; });
    }

    void write(LogLevel level, std::string_view event, std::initializer_list<LogField> fields) {
        const WallTime now{.unix_ms = unix_ms_now()};
        const std::string line = format_log_line(format_, now, level, event, fields);
        // As a string_view: a value with braces is no format.
        logger_->log(to_spdlog(level), spdlog::string_view_t(line.data(), line.size()));
    }

    [[nodiscard]] std::uint64_t dropped() const {
        return failed_.load() + writer_->overrun_counter();
    }

private:
    LogFormat format_;
    std::atomic<std::uint64_t> failed_{0};
    std::shared_ptr<spdlog::async_logger> logger_;
    // Goes first: its thread writes out what waits and ends before the logger and its file go.
    std::shared_ptr<spdlog::details::thread_pool> writer_;
};

Result<std::unique_ptr<SpdlogSink>> SpdlogSink::open(const LogOptions& options) {
    try {
        spdlog::sink_ptr sink;
        if (options.file.empty()) {
            sink = std::make_shared<spdlog::sinks::stderr_sink_mt>();
        } else {
            sink = std::make_shared<spdlog::sinks::rotating_file_sink_mt>(
                options.file, options.file_bytes_max, options.files_max);
        }
        auto impl = std::make_unique<Impl>(options, std::move(sink));
        return std::unique_ptr<SpdlogSink>(new SpdlogSink(std::move(impl)));
    } catch (const std::exception& error) {
        return fail(Errc::io_error, "log file " + options.file + ": " + error.what());
    }
}

SpdlogSink::SpdlogSink(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}

SpdlogSink::~SpdlogSink() = default;

void SpdlogSink::write(LogLevel level, std::string_view event,
                       std::initializer_list<LogField> fields) {
    impl_->write(level, event, fields);
}

std::uint64_t SpdlogSink::dropped() const {
    return impl_->dropped();
}

Result<LogLevel> parse_log_level(std::string_view text) {
    for (const LogLevel level :
         {LogLevel::debug, LogLevel::info, LogLevel::warning, LogLevel::error}) {
        if (text == to_string(level)) {
            return level;
        }
    }
    return fail(Errc::invalid_argument,
                "log level '" + std::string(text) + "' is none of debug, info, warning, error");
}

}  // namespace muster::runtime
