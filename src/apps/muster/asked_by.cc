#include "apps/muster/asked_by.h"

#include <array>
#include <climits>
#include <cstdlib>

#include <pwd.h>
#include <unistd.h>

#include "apps/muster/http_client.h"
#include "model/asked_by.h"

namespace muster::cli {
namespace {

std::string login() {
    if (const char* caller = std::getenv("SUDO_USER");
        geteuid() == 0 && caller != nullptr && *caller != '\0') {
        return caller;
    }
    if (const passwd* entry = getpwuid(getuid()); entry != nullptr && entry->pw_name != nullptr) {
        return entry->pw_name;
    }
    return "uid " + std::to_string(getuid());  // of a container, perhaps
}

std::string host() {
    std::array<char, HOST_NAME_MAX + 1> name{};
    const bool known = gethostname(name.data(), name.size()) == 0;
    name.back() = '\0';
    return known ? name.data() : "";
}

}  // namespace

// What was given is passed on as it is: the registry says what is wrong with it.
std::string asked_by_parameter(const std::string& given) {
    return "&by=" + percent_encode(given.empty() ? asked_by_of(login() + "@" + host()) : given);
}

}  // namespace muster::cli
