#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include <sys/types.h>

#include "apps/load/machine.h"
#include "base/time.h"

namespace muster::bench {

using load::now;

// A free port on 127.0.0.1, below the range the kernel takes ports from for connections: it stays
// free until its server listens, and while the server is away. None is given twice.
[[nodiscard]] std::uint16_t free_port();

// A folder of its own for what is measured; it goes with the object.
class TempFolder {
public:
    TempFolder();
    ~TempFolder();
    TempFolder(const TempFolder&) = delete;
    TempFolder& operator=(const TempFolder&) = delete;

    [[nodiscard]] const std::string& path() const {
        return path_;
    }

private:
    std::string path_;
};

// One run of the `muster` beside this program. It is killed with the object, and when this program
// ends.
class Process {
public:
    Process(const std::vector<std::string>& arguments, const std::string& log_file);
    ~Process();
    Process(const Process&) = delete;
    Process& operator=(const Process&) = delete;

    // Sends a signal; kill() and terminate() also wait for the end.
    void signal(int number) const;
    void kill();
    void terminate();

    [[nodiscard]] bool running();
    [[nodiscard]] pid_t pid() const {
        return pid_;
    }
    // Resident memory, the most of it, and CPU time so far, from /proc.
    [[nodiscard]] std::uint64_t rss_bytes() const;
    [[nodiscard]] std::uint64_t peak_rss_bytes() const;
    [[nodiscard]] double cpu_seconds() const;

    // The program that is started.
    [[nodiscard]] static std::string program();

private:
    pid_t pid_ = -1;
};

// Runs `muster ARGUMENTS` to its end; its exit status.
int run_command(const std::vector<std::string>& arguments, const std::string& log_file);

struct HttpAnswer {
    int status = 0;  // zero: no answer
    std::string body;
};

[[nodiscard]] HttpAnswer http_get(std::uint16_t port, std::string_view path);

// The sum of a metric's samples whose labels hold `labels` (a part of the text between the braces).
[[nodiscard]] double metric(std::string_view metrics_text, std::string_view name,
                            std::string_view labels = {});

}  // namespace muster::bench
