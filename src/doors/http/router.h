#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "doors/http/call.h"

namespace muster::http {

// What a route needs to know beyond its handler.
enum class RouteKind : std::uint8_t {
    plain,
    question,       // asks for facts, is answered once: counted, and refused when there are many
    lenient_query,  // its clients do not encode query values
    streaming,      // stays open: no HEAD
};

struct Route {
    std::string method;
    std::string path;  // template: "/api/v1/instances/{id}"
    Handler handler = nullptr;
    std::string help;
    RouteKind kind = RouteKind::plain;
};

struct RouteMatch {
    std::size_t index = 0;
    PathParams params;
};

// No route has that path. `nearest`: "GET /path" of up to three that resemble it.
struct NoRoute {
    std::vector<std::string> nearest;
};

// The path is known, the method is not. `allow`: "GET, HEAD, PUT".
struct WrongMethod {
    std::string allow;
};

// The table of routes. Filled at construction of the door, then only read. GET answers HEAD too.
class Router {
public:
    // Requires: no route of that method and template yet.
    void add(Route route);

    // `segments` are decoded.
    [[nodiscard]] std::variant<RouteMatch, NoRoute, WrongMethod> match(
        std::string_view method, const std::vector<std::string>& segments) const;

    [[nodiscard]] const std::vector<Route>& routes() const {
        return routes_;
    }

private:
    [[nodiscard]] std::vector<std::string> nearest(const std::vector<std::string>& segments) const;

    std::vector<Route> routes_;
    std::vector<std::vector<std::string>> templates_;  // segments of routes_[i].path
};

// One line for each file of routes.
void add_health_routes(Router& router);
void add_cluster_routes(Router& router);
void add_brake_routes(Router& router);
void add_propagation_routes(Router& router);
void add_history_routes(Router& router);
void add_servers_routes(Router& router);
void add_status_routes(Router& router);
void add_instance_routes(Router& router);
void add_watch_routes(Router& router);
void add_config_routes(Router& router);

}  // namespace muster::http
