#include "doors/http/process_metrics.h"

#include <array>
#include <charconv>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <optional>
#include <string>

#include <sys/resource.h>
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

// When this process began, seconds since 1970.
std::optional<std::int64_t> start_time() {
    const std::string stat = read_file("/proc/self/stat");
    const std::string machine = read_file("/proc/stat");
    const auto name_end = stat.rfind(") ");  // the name before it may hold anything
    const auto boot_at = machine.find("btime ");
    if (name_end == std::string::npos || boot_at == std::string::npos) {
        return std::nullopt;
    }
    constexpr int kStartField = 19;  // field 22 of proc(5), counted from the one after the name
    const auto ticks =
        read_number(field_of(std::string_view(stat).substr(name_end + 2), kStartField));
    const auto boot = read_number(std::string_view(machine).substr(boot_at + 6));
    const auto ticks_per_second = sysconf(_SC_CLK_TCK);
    if (!ticks || !boot || ticks_per_second <= 0) {
        return std::nullopt;
    }
    return *boot + *ticks / ticks_per_second;
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
    if (const auto start = start_time()) {
        text.gauge("process_start_time_seconds", "Start of the process since the Unix epoch.",
                   *start, {});
    }
}

}  // namespace muster::http
