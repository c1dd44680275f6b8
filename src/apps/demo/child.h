#pragma once

#include <string>
#include <utility>
#include <vector>

#include <sys/types.h>

namespace muster::demo {

// A program started by us, in a process group of its own (so that Ctrl-C in the terminal reaches
// us alone). It is killed when we end, however we end (PR_SET_PDEATHSIG). Start children from the
// main thread: their death signal comes with the end of the thread that started them.
class Child {
public:
    Child() = default;
    Child(Child&& other) noexcept : pid_(std::exchange(other.pid_, 0)) {}
    Child& operator=(Child&& other) noexcept {
        std::swap(pid_, other.pid_);
        return *this;
    }
    Child(const Child&) = delete;
    Child& operator=(const Child&) = delete;
    // Kills it and waits for its end.
    ~Child();

    // What it prints goes to the file `output`, appended. When the program cannot be run it ends
    // with 127.
    [[nodiscard]] static Child start(const std::vector<std::string>& command,
                                     const std::string& output);

    [[nodiscard]] bool running();
    void kill_now();
    // SIGTERM, and SIGKILL after `patience_ms`.
    void stop(int patience_ms);
    [[nodiscard]] pid_t pid() const {
        return pid_;
    }

private:
    pid_t pid_ = 0;  // 0: none, or reaped
};

}  // namespace muster::demo
