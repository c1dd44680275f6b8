#include "apps/demo/child.h"

#include <chrono>
#include <csignal>
#include <thread>

#include <fcntl.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

namespace muster::demo {

Child Child::start(const std::vector<std::string>& command, const std::string& output) {
    // Everything is made before fork(): in between only what is async-signal-safe may be called.
    std::vector<char*> argv;
    for (const auto& word : command) {
        argv.push_back(const_cast<char*>(word.c_str()));
    }
    argv.push_back(nullptr);
    sigset_t none;
    sigemptyset(&none);
    const pid_t parent = ::getpid();
    Child child;
    child.pid_ = ::fork();
    if (child.pid_ == 0) {
        ::prctl(PR_SET_PDEATHSIG, SIGKILL);
        if (::getppid() != parent) {
            ::_exit(127);
        }
        ::setpgid(0, 0);
        ::sigprocmask(SIG_SETMASK, &none, nullptr);
        const int in = ::open("/dev/null", O_RDONLY);
        const int out = ::open(output.c_str(), O_WRONLY | O_CREAT | O_APPEND, 0640);
        ::dup2(in, STDIN_FILENO);
        ::dup2(out, STDOUT_FILENO);
        ::dup2(out, STDERR_FILENO);
        ::execv(argv[0], argv.data());
        ::_exit(127);
    }
    child.pid_ = child.pid_ < 0 ? 0 : child.pid_;
    return child;
}

Child::~Child() {
    kill_now();
}

bool Child::running() {
    if (pid_ != 0 && ::waitpid(pid_, nullptr, WNOHANG) != 0) {
        pid_ = 0;
    }
    return pid_ != 0;
}

void Child::kill_now() {
    if (running()) {
        ::kill(pid_, SIGKILL);
        ::waitpid(pid_, nullptr, 0);
        pid_ = 0;
    }
}

void Child::stop(int patience_ms) {
    if (running()) {
        ::kill(pid_, SIGTERM);
    }
    for (int waited = 0; running() && waited < patience_ms; waited += 5) {
        std::this_thread::sleep_for(std::chrono::milliseconds(5));
    }
    kill_now();
}

}  // namespace muster::demo
