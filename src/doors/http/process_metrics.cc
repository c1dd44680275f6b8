#include "doors/http/process_metrics.h"

#include <array>
#include <charconv>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <optional>
#include <string>

#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

namespace muster::http {
namespace {

std::string read_file(const char* path) {
    std::ifstream file(path);
    return {std::istreambuf_iterator<char>(file), {}};
}

std::optional<std::int64_t> read_number(std::string_view text) {
    std::int64_t number = 0;
    const auto [end, error] = std::from_chars(text.begin(), text.end(), number);
    return error == std::errc{} ? std::optional(number) : std::nullopt;
}

// The field of that number (from 0) among fields separated by blanks.
std::string_view field_of(std::string_view text, int number) {
    for (; number > 0; --number) {
        const auto blank = text.find(' ');
        text = blank == std::string_view::npos ? std::string_view{} : text.substr(blank + 1);
    }
    return text.substr(0, text.find(' '));
}

Duration time_of(const timespec& time) {
    return std::chrono::seconds(time.tv_sec) + std::chrono::nanoseconds(time.tv_nsec);
}

Duration read_clock(clockid_t clock) {
    timespec now{};
    ::clock_gettime(clock, &now);
    return time_of(now);
}

// When this process began, since 1970, to a hundredth of a second.
std::optional<Duration> start_time() {
    const std::string stat = read_file("/proc/self/stat");
    const auto name_end = stat.rfind(") ");  // the name before it may hold anything
    if (name_end == std::string::npos) {
        return std::nullopt;
    }
    constexpr int kStartField = 19;  // field 22 of proc(5), counted from the one after the name
    const auto ticks =
        read_number(field_of(std::string_view(stat).substr(name_end + 2), kStartField));
    const auto ticks_per_second = sysconf(_SC_CLK_TCK);
    if (!ticks || ticks_per_second <= 0) {
        return std::nullopt;
    }
    const Duration since_boot = *ticks * Duration(std::chrono::seconds(1)) / ticks_per_second;
    return read_clock(CLOCK_REALTIME) - (read_clock(CLOCK_BOOTTIME) - since_boot);
}

std::optional<std::int64_t> open_fds() {
    std::error_code error;
    std::filesystem::directory_iterator entries("/proc/self/fd", error);
    if (error) {
        return std::nullopt;
    }
    return std::distance(begin(entries), end(entries)) - 1;  // without the one that reads them
}

Duration time_of(const timeval& time) {
    return std::chrono::seconds(time.tv_sec) + std::chrono::microseconds(time.tv_usec);
}

}  // namespace

void write_process_metrics(MetricsText& text) {
    const std::string statm = read_file("/proc/self/statm");
    const auto pages = read_number(field_of(statm, 1));
    if (pages) {
        text.gauge("process_resident_memory_bytes", "Resident memory size in bytes.",
                   *pages * sysconf(_SC_PAGESIZE), {});
    }
    if (const auto fds = open_fds()) {
        text.gauge("process_open_fds", "Number of open file descriptors.", *fds, {});
    }
    rusage usage{};
    if (getrusage(RUSAGE_SELF, &usage) == 0) {
        text.counter_seconds("process_cpu_seconds_total", "User and system CPU time in seconds.",
                             time_of(usage.ru_utime) + time_of(usage.ru_stime));
    }
    // Found once: a clock that is set must not look like a restart.
    static const std::optional<Duration> start = start_time();
    if (start) {
        text.gauge_seconds("process_start_time_seconds",
                           "Start of the process since the Unix epoch, in seconds.", *start);
    }
}

}  // namespace muster::http
