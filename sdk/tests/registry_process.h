#pragma once

#include <cstdint>
#include <string>

#include <sys/types.h>

namespace muster::sdk_test {

// A registry on free ports of 127.0.0.1 with a data folder of its own, as a process.
class RegistryProcess {
public:
    RegistryProcess();
    ~RegistryProcess();
    RegistryProcess(const RegistryProcess&) = delete;
    RegistryProcess& operator=(const RegistryProcess&) = delete;

    // Starts it again where it was, and waits until it is ready. False when it does not come up.
    [[nodiscard]] bool start();
    // With SIGKILL.
    void kill();

    [[nodiscard]] std::string bolt() const {
        return "127.0.0.1:" + std::to_string(bolt_port_);
    }
    [[nodiscard]] std::string http() const {
        return "http://localhost:" + std::to_string(http_port_);
    }
    [[nodiscard]] const std::string& folder() const {
        return folder_;
    }
    // Puts a configuration value. False when the registry did not take it.
    [[nodiscard]] bool put_config(const std::string& key, const std::string& value) const;

private:
    [[nodiscard]] std::string request(const std::string& method, const std::string& path,
                                      const std::string& body) const;

    std::string folder_;
    std::uint16_t bolt_port_ = 0;
    std::uint16_t http_port_ = 0;
    pid_t pid_ = 0;
};

}  // namespace muster::sdk_test
