// The `muster` program: the server and the commands that ask it.
#include <CLI/CLI.hpp>
#include <cstdio>
#include <string>

#include "apps/muster/query_commands.h"
#include "apps/muster/server_command.h"
#include "apps/muster/version.h"

namespace {

using namespace muster::cli;  // NOLINT: the program's own commands

void add_query_options(CLI::App& command, QueryOptions& options) {
    command.add_option("-s,--server", options.server, "HTTP address of a session, host:port")
        ->envname("MUSTER_SERVER")
        ->capture_default_str();
    command.add_option("-o,--output", options.output, "table or json")
        ->check(CLI::IsMember({"table", "json"}))
        ->capture_default_str();
}

}  // namespace

int main(int argc, char** argv) {
    CLI::App app{"Muster: a service registry. Where is the other one, now?"};
    app.require_subcommand(1);
    app.set_help_all_flag("--help-all", "Help of all commands");
    app.footer("Exit status: 0 done, 1 the registry refused or was not reached, 2 wrong usage.\n"
               "Environment: MUSTER_SERVER is the default of --server.");

    ServerOptions server;
    auto* server_command = app.add_subcommand("server", "Run the registry: all roles in one process");
    server_command->add_option("-c,--config", server.config_file, "Configuration file (YAML)");
    server_command->add_option("--data-dir", server.data_dir,
                               "Folder of the node's data (same as --set data_dir=...)");
    server_command->add_option("--set", server.overrides,
                               "Override one key of the configuration: --set bolt.listen=127.0.0.1:9600");
    server_command->add_flag("--print-config", server.print_config,
                             "Print the configuration in force, and exit");

    ServicesOptions services;
    auto* services_command = app.add_subcommand("services", "List the services that are published");
    add_query_options(*services_command, services.query);
    services_command->add_option("--contains", services.contains, "Only names that hold this text");
    services_command->add_option("--limit", services.limit, "At most so many")->capture_default_str();

    ServiceOptions instances;
    auto* instances_command = app.add_subcommand("instances", "List who publishes a service");
    add_query_options(*instances_command, instances.query);
    instances_command
        ->add_option("service", instances.service, "tenant/group/dataId, group/dataId or dataId")
        ->required();
    instances_command->add_option("--scope", instances.scope, "zone, dataCenter or global")
        ->check(CLI::IsMember({"zone", "dataCenter", "global"}))
        ->capture_default_str();
    instances_command->add_option("--zone", instances.zone, "The zone, with --scope zone");

    ServiceOptions subscribers;
    auto* subscribers_command =
        app.add_subcommand("subscribers", "List who is told about a service, and how far they are");
    add_query_options(*subscribers_command, subscribers.query);
    subscribers_command
        ->add_option("service", subscribers.service, "tenant/group/dataId, group/dataId or dataId")
        ->required();

    QueryOptions status;
    auto* status_command = app.add_subcommand("status", "Show what a server is doing");
    add_query_options(*status_command, status);

    QueryOptions version;
    auto* version_command = app.add_subcommand("version", "Print the version of this program");
    version_command->add_option("-o,--output", version.output, "table or json")
        ->check(CLI::IsMember({"table", "json"}))
        ->capture_default_str();

    try {
        app.parse(argc, argv);
    } catch (const CLI::ParseError& error) {
        return app.exit(error) == 0 ? 0 : 2;
    }
    if (server_command->parsed()) {
        return run_server(server);
    }
    if (services_command->parsed()) {
        return run_services(services);
    }
    if (instances_command->parsed()) {
        return run_instances(instances);
    }
    if (subscribers_command->parsed()) {
        return run_subscribers(subscribers);
    }
    if (status_command->parsed()) {
        return run_status(status);
    }
    return run_version(version);
}
