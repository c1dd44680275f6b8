#include "process.h"

#include <array>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <random>
#include <set>
#include <utility>

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

#include "apps/load/metrics_text.h"
#include "sockets.h"

namespace muster::bench {
namespace {

pid_t spawn(const std::vector<std::string>& arguments, const std::string& log_file) {
    const std::string binary = Process::program();
    std::vector<char*> argv{const_cast<char*>("muster")};
    for (const std::string& argument : arguments) {
        argv.push_back(const_cast<char*>(argument.c_str()));
    }
    argv.push_back(nullptr);
    const pid_t pid = ::fork();
    if (pid == 0) {
        ::prctl(PR_SET_PDEATHSIG, SIGKILL);
        const int sink = ::open(log_file.c_str(), O_CREAT | O_WRONLY | O_APPEND, 0644);
        ::dup2(sink, 1);
        ::dup2(sink, 2);
        ::execv(binary.c_str(), argv.data());
        ::_exit(127);
    }
    return pid;
}

bool can_bind(std::uint16_t port) {
    const int fd = ::socket(AF_INET, SOCK_STREAM, 0);
    sockaddr_in at{};
    at.sin_family = AF_INET;
    at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    at.sin_port = htons(port);
    const bool bound = ::bind(fd, reinterpret_cast<sockaddr*>(&at), sizeof(at)) == 0;
    ::close(fd);
    return bound;
}

}  // namespace

std::uint16_t free_port() {
    static std::minstd_rand random{std::random_device{}()};
    static std::set<std::uint16_t> given;
    std::uniform_int_distribution<std::uint16_t> ports(10'000, 32'000);
    for (int i = 0; i < 1000; ++i) {
        const std::uint16_t port = ports(random);
        if (!given.contains(port) && can_bind(port)) {
            given.insert(port);
            return port;
        }
    }
    die("no free port was found between 10000 and 32000");
}

TempFolder::TempFolder()
    : path_((std::filesystem::temp_directory_path() / "muster-bench-XXXXXX").string()) {
    if (::mkdtemp(path_.data()) == nullptr) {
        die("cannot make a folder in " + std::filesystem::temp_directory_path().string());
    }
}

TempFolder::~TempFolder() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
}

Process::Process(const std::vector<std::string>& arguments, const std::string& log_file)
    : pid_(spawn(arguments, log_file)) {}

Process::~Process() {
    kill();
}

void Process::signal(int number) const {
    if (pid_ > 0) {
        ::kill(pid_, number);
    }
}

void Process::kill() {
    if (pid_ > 0) {
        ::kill(pid_, SIGKILL);
        ::waitpid(std::exchange(pid_, -1), nullptr, 0);
    }
}

void Process::terminate() {
    if (pid_ > 0) {
        ::kill(pid_, SIGTERM);
        ::waitpid(std::exchange(pid_, -1), nullptr, 0);
    }
}

bool Process::running() {
    if (pid_ > 0 && ::waitpid(pid_, nullptr, WNOHANG) == pid_) {
        pid_ = -1;
    }
    return pid_ > 0;
}

std::uint64_t Process::rss_bytes() const {
    std::ifstream statm("/proc/" + std::to_string(pid_) + "/statm");
    std::uint64_t total = 0;
    std::uint64_t resident = 0;
    statm >> total >> resident;
    return resident * static_cast<std::uint64_t>(::sysconf(_SC_PAGESIZE));
}

std::uint64_t Process::peak_rss_bytes() const {
    std::ifstream status("/proc/" + std::to_string(pid_) + "/status");
    std::string word;
    while (status >> word) {
        std::uint64_t kib = 0;
        if (word == "VmHWM:" && status >> kib) {
            return kib * 1024;
        }
    }
    die("/proc/PID/status has no VmHWM");
}

double Process::cpu_seconds() const {
    std::ifstream stat("/proc/" + std::to_string(pid_) + "/stat");
    std::string text{std::istreambuf_iterator<char>(stat), {}};
    text = text.substr(text.rfind(')') + 2);
    std::uint64_t user = 0;
    std::uint64_t system = 0;
    if (std::sscanf(text.c_str(), "%*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %lu %lu", &user,
                    &system) != 2) {
        die("/proc/PID/stat reads otherwise than expected");
    }
    return static_cast<double>(user + system) / static_cast<double>(::sysconf(_SC_CLK_TCK));
}

std::string Process::program() {
    return (std::filesystem::read_symlink("/proc/self/exe").parent_path() / "muster").string();
}

int run_command(const std::vector<std::string>& arguments, const std::string& log_file) {
    int status = 0;
    ::waitpid(spawn(arguments, log_file), &status, 0);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

HttpAnswer http_get(std::uint16_t port, std::string_view path) {
    const int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    const timeval patience{.tv_sec = 2, .tv_usec = 0};
    ::setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
    sockaddr_in to{};
    to.sin_family = AF_INET;
    to.sin_port = htons(port);
    to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    std::string answer;
    if (::connect(fd, reinterpret_cast<sockaddr*>(&to), sizeof(to)) == 0) {
        const std::string ask = "GET " + std::string(path) +
                                " HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n";
        std::array<char, 16384> bytes;
        if (::send(fd, ask.data(), ask.size(), MSG_NOSIGNAL) > 0) {
            ssize_t got = 0;
            while ((got = ::recv(fd, bytes.data(), bytes.size(), 0)) > 0) {
                answer.append(bytes.data(), static_cast<std::size_t>(got));
            }
        }
    }
    ::close(fd);
    HttpAnswer read;
    const auto head_end = answer.find("\r\n\r\n");
    if (head_end != std::string::npos && answer.starts_with("HTTP/1.1 ")) {
        read.status = std::atoi(answer.c_str() + 9);
        read.body = answer.substr(head_end + 4);
    }
    return read;
}

double metric(std::string_view metrics_text, std::string_view name, std::string_view labels) {
    return load::metric(metrics_text, name, labels).value_or(0);
}

}  // namespace muster::bench
